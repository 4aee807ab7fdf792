"""The button of a confirmation mail. GET shows it, and changes nothing."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from newsletter import wiring
from newsletter.lib import clock
from newsletter.models import Cadence
from newsletter.subscribers import confirm as confirmations
from newsletter.subscribers.confirm import ConfirmationPreview, Confirmed
from newsletter.web.public import page_data
from newsletter.web.public.mail_times import rhythm, when
from newsletter.web.public.responses import invalid_link_page
from newsletter.web.public.submit import submit_renewal


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once more, then do it."""
    if request.method == "POST":
        return submit_renewal(request, token, "expect") if "renew" in request.POST else _press(request, token)
    preview = confirmations.preview_confirmation(token, now=clock.utcnow(), vault=wiring.vault())
    if not isinstance(preview, ConfirmationPreview):
        return invalid_link_page(request, preview, renew=True)
    return _ask(request, preview)


def _press(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.utcnow()
    done = confirmations.confirm(token, request.POST.get("shown", ""), wiring.subscribing(now))
    if isinstance(done, ConfirmationPreview):
        return _ask(request, done, changed=True)
    if not isinstance(done, Confirmed):
        return invalid_link_page(request, done, renew=True)
    context = page_data.sender() | _chosen(done.preview) | {"next_mail": _next_mail(done, now), "private": True}
    return render(request, "public/confirmed.html.j2", context)


def _next_mail(done: Confirmed, now: datetime) -> str:
    if done.next_due is not None:
        return gettext("Your next email: {when}.").format(when=when(done.next_due, done.zone, now))
    if done.preview.choices.cadence != Cadence.IMMEDIATE:
        return gettext("Your next email comes at your usual time.")
    return gettext("We’ll email you as soon as an article matches.")


def _ask(request: HttpRequest, shown: ConfirmationPreview, *, changed: bool = False) -> HttpResponse:
    """The page with the button. `changed`: it was pressed on a page that showed other choices, and did nothing."""
    context = _chosen(shown) | {"fingerprint": shown.fingerprint, "changed": changed, "private": True}
    return render(request, "public/confirm.html.j2", context, status=409 if changed else 200)


def _chosen(shown: ConfirmationPreview) -> dict[str, object]:
    chosen = shown.choices
    return {
        "kind": shown.kind,
        "follows": (*shown.topic_names, *(f"“{keyword}”" for keyword in chosen.keywords)),
        "rhythm": rhythm(chosen.cadence, chosen.mail_time.hour, chosen.mail_time.weekday),
        "discreet": chosen.discreet,
    }
