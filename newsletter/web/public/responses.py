"""Pages and redirects that several views give."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from newsletter.subscribers.tokens import Expired, InvalidToken, Used
from newsletter.web.public.forms import AddressForm


class SeeOther(HttpResponseRedirect):
    """303: look there now, with GET; so that "reload" never presses a button again (RFC 9110 section 15.4.4)."""

    status_code = 303


def invalid_link_page(
    request: HttpRequest, found: Expired | Used | InvalidToken, *, renew: bool = False
) -> HttpResponse:
    """The page of a link that does nothing any more; it always offers a next step."""
    heading, words, status = _TOLD[type(found)]
    renew = renew and isinstance(found, Expired)
    context = {"heading": heading, "words": words, "renew": renew, "form": AddressForm(), "private": True}
    return render(request, "public/link.html.j2", context, status=status)


_TOLD = {
    Expired: (
        "This link has grown old",
        "For your safety it worked for a limited time only. You can have a fresh one.",
        410,
    ),
    Used: (
        "This link has done its work",
        "It works once, and it was pressed already. If that was you, all is well.",
        410,
    ),
    InvalidToken: (
        "This link does not lead here",
        "It may be too old, or it was cut off when it was copied. Copy all of it from the mail, or ask for a new one.",
        404,
    ),
}
