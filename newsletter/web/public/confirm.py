"""The button of a confirmation mail. GET shows it, and changes nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from newsletter import wiring
from newsletter.lib import clock
from newsletter.models import Cadence
from newsletter.subscribers.confirm import Confirmed, Open, look, press
from newsletter.web.public import page_data
from newsletter.web.public.responses import invalid_link_page
from newsletter.web.public.submit import submit_renewal
from newsletter.web.public.time_zones import rhythm, when


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once more, then do it."""
    if request.method == "POST":
        return submit_renewal(request, token, "expect") if "renew" in request.POST else _press(request, token)
    found = look(token, now=clock.utcnow(), vault=wiring.vault())
    return _ask(request, found) if isinstance(found, Open) else invalid_link_page(request, found, renew=True)


def _press(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.utcnow()
    done = press(
        token,
        request.POST.get("shown", ""),
        now=now,
        vault=wiring.vault(),
        own_topic=page_data.own_topic(now),
        next_due=page_data.next_due,
    )
    if isinstance(done, Open):
        return _ask(request, done, changed=True)
    if not isinstance(done, Confirmed):
        return invalid_link_page(request, done, renew=True)
    words = "As soon as an article meets what you follow, it is mailed to you."
    if done.next_due is not None:
        words = f"Next mail: {when(done.next_due, done.zone, now)}."
    elif done.shown.choices.cadence != Cadence.IMMEDIATE:
        words = "Your next mail comes at your hour."
    context = page_data.sender() | _chosen(done.shown) | {"next_mail": words, "private": True}
    return render(request, "public/confirmed.html.j2", context)


def _ask(request: HttpRequest, shown: Open, *, changed: bool = False) -> HttpResponse:
    """The page with the button. `changed`: it was pressed on a page that showed other choices, and did nothing."""
    context = _chosen(shown) | {"fingerprint": shown.fingerprint, "changed": changed, "private": True}
    return render(request, "public/confirm.html.j2", context, status=409 if changed else 200)


def _chosen(shown: Open) -> dict[str, object]:
    chosen = shown.choices
    return {
        "kind": shown.kind,
        "follows": (*shown.names, *(f"“{word}”" for word in chosen.words)),
        "rhythm": rhythm(chosen.cadence, chosen.hour, chosen.weekday),
        "discreet": chosen.discreet,
    }
