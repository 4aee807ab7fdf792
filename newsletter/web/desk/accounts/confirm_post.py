"""Asks for the password between a button and what it does. The page carries what was typed; nothing of it is stored."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from newsletter.web.desk.accounts.typed import CONFIRM, typed_fields
from newsletter.web.desk.page import page


def confirm_post(request: HttpRequest) -> HttpResponse | None:
    """Answer with the page that asks, or with None if the password came along and is right."""
    wrong = ""
    if CONFIRM in request.POST:
        wrong = _problem(request)
        if not wrong:
            return None
    context = {"typed": typed_fields(request), "wrong": wrong, "field": CONFIRM, "admin": request.user}
    return page(request, "desk/accounts/confirm_post.html.j2", context)


def _problem(request: HttpRequest) -> str:
    adapter = get_adapter(request)
    try:
        if not adapter.reauthenticate(request.user, request.POST.get(CONFIRM, "")):
            return str(adapter.error_messages["incorrect_password"])
    except ValidationError as error:
        return str(error.messages[0])
    reauthenticate_by_password(request)
    return ""
