"""The button of a confirmation mail. GET shows it, and changes nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from newsletter import clock, tasks, wiring
from newsletter.models import Cadence
from newsletter.subscribers.confirm import Confirmed, Open, look, press
from newsletter.subscribers.renew import renew
from newsletter.subscribers.signup import Signed
from newsletter.subscribers.tokens import Wrong
from newsletter.web.public import doors
from newsletter.web.public.answers import SeeOther, busy, dead_link
from newsletter.web.public.clocks import rhythm, when


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once more, then do it."""
    if request.method == "POST":
        return _renew(request, token) if "renew" in request.POST else _press(request, token)
    found = look(token, now=clock.utcnow(), vault=wiring.vault())
    if not isinstance(found, Open):
        return dead_link(request, found, renew=True)
    chosen = found.choices
    context = {
        "kind": found.kind,
        "follows": (*found.names, *(f"“{word}”" for word in chosen.words)),
        "rhythm": rhythm(chosen.cadence, chosen.hour, chosen.weekday),
        "discreet": chosen.discreet,
        "private": True,
    }
    return render(request, "confirm.html.j2", context)


def _press(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.utcnow()
    done = press(token, now=now, vault=wiring.vault(), own_topic=doors.own_topic(now), next_due=doors.next_due)
    if not isinstance(done, Confirmed):
        return dead_link(request, done, renew=True)
    words = "As soon as an article meets what you follow, it is mailed to you."
    if done.next_due is not None:
        words = f"Next mail: {when(done.next_due, done.zone, now)}."
    elif done.cadence != Cadence.IMMEDIATE:
        words = "Your next mail comes at your hour."
    context = doors.sender() | {"kind": done.kind, "next_mail": words, "private": True}
    return render(request, "confirmed.html.j2", context)


def _renew(request: HttpRequest, token: str) -> HttpResponse:
    done = renew(token, now=clock.utcnow(), vault=wiring.vault())
    if isinstance(done, Wrong):
        return dead_link(request, done)
    if not isinstance(done, Signed):
        return busy(request)
    if done.notice_id is not None:
        tasks.ring("notices")
    return SeeOther(reverse("expect"))
