"""Asks for the password between a button and what it does. The page carries what was typed; nothing of it is stored."""

from typing import Final

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from newsletter.web.desk.page import page

#: The field for the password; no form of the desk has one of this name.
FIELD: Final = "confirm_password"


def confirm_post(request: HttpRequest) -> HttpResponse | None:
    """Answer with the page that asks, or with None if the password came along and is right."""
    wrong = ""
    if FIELD in request.POST:
        wrong = _problem(request)
        if not wrong:
            return None
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in (FIELD, "csrfmiddlewaretoken")
        for value in values
    ]
    context = {"typed": typed, "wrong": wrong, "field": FIELD, "admin": request.user}
    return page(request, "desk/accounts/confirm_post.html.j2", context)


def _problem(request: HttpRequest) -> str:
    adapter = get_adapter(request)
    try:
        if not adapter.reauthenticate(request.user, request.POST.get(FIELD, "")):
            return str(adapter.error_messages["incorrect_password"])
    except ValidationError as error:
        return str(error.messages[0])
    reauthenticate_by_password(request)
    return ""
