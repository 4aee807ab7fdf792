"""What a view of the desk answers: a page, or a redirect with a sentence on top of the next page."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from newsletter.web.see_other import SeeOther


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Answer with a template that extends `desk/page.html.j2`."""
    return render(request, template, context, status=status)


def done(request: HttpRequest, sentence: str, url: str) -> SeeOther:
    """Answer a form: the change is made, which `sentence` says on top of the page at `url`."""
    messages.success(request, sentence)
    return SeeOther(url)


def refused(request: HttpRequest, reason: str, url: str) -> SeeOther:
    """Answer a form: nothing was done, for `reason`, which stands on top of the page at `url`."""
    messages.error(request, reason)
    return SeeOther(url)


def back(request: HttpRequest) -> str:
    """The page of the desk on which the form was, by its hidden field `back`; Home if it names none."""
    page = request.POST.get("back", "")
    is_ours = page.startswith("/desk/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if is_ours else reverse("desk_home")
