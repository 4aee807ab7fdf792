"""The pages of the outbox. They exist on the machine that wrote the mails, and answer 404 everywhere else."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.web.mail_frame import framed_mail
from newsletter.web.outbox import mails
from newsletter.web.outbox.access import local_only
from newsletter.web.security_headers import POLICY

FRAMING_POLICY: Final = f"{POLICY}; frame-src 'self'"
VIEWS: Final = ("phone", "desktop", "text", "source")


@require_safe
@local_only
def outbox(request: HttpRequest) -> HttpResponse:
    """The mails, the newest first. `?before=NAME` goes on where a page ended."""
    listed, more = mails.newest(wiring.config().outbox_directory, before=request.GET.get("before", ""))
    return render(request, "outbox/outbox.html.j2", {"mails": listed, "more": more, "private": True})


@require_safe
@local_only
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: framed at the width of a phone or of a desk, as text, or as the bytes that were written (`?view=`)."""
    shown = _mail(name)
    views = VIEWS if shown.html else VIEWS[2:]
    view = request.GET.get("view", views[0])
    if view not in views:
        raise Http404
    context = {"mail": shown, "view": view, "views": views, "private": True, "wide": True}
    response = render(request, "outbox/mail.html.j2", context)
    response.headers["Content-Security-Policy"] = FRAMING_POLICY
    return response


@require_safe
@local_only
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part as a mail program would get it."""
    return framed_mail(_mail(name).html)


def _mail(name: str) -> mails.Mail:
    mail = mails.read(wiring.config().outbox_directory, name)
    if mail is None:
        raise Http404
    return mail
