"""Pages and redirects that several views give."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from newsletter.lib.i18n import mark
from newsletter.subscribers.tokens import Expired, InvalidToken, Used
from newsletter.web.public.forms import AddressForm


def invalid_link_page(
    request: HttpRequest, reason: Expired | Used | InvalidToken, *, renew: bool = False
) -> HttpResponse:
    """The page of a link that does nothing any more; it always offers a next step."""
    heading, text, status = _INVALID_LINKS[type(reason)]
    renew = renew and isinstance(reason, Expired)
    context = {
        "heading": gettext(heading),
        "text": gettext(text),
        "renew": renew,
        "form": AddressForm(),
        "private": True,
    }
    return render(request, "public/link.html.j2", context, status=status)


_INVALID_LINKS = {
    Expired: (
        mark("This link has expired"),
        mark("For your safety, links work for a limited time. You can get a new one."),
        410,
    ),
    Used: (
        mark("This link has been used"),
        mark("It works once, and the button was already pressed. If that was you, there is nothing left to do."),
        410,
    ),
    InvalidToken: (
        mark("This link does not work"),
        mark("It may be too old, or it was cut off. Copy all of it from the email, or get a new one."),
        404,
    ),
}
