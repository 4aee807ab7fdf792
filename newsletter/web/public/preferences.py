"""What somebody follows and how it comes, behind a link mailed within the last 24 hours."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from newsletter import wiring
from newsletter.delivery.ledger.cancel import cancel_planned
from newsletter.lib import clock, urls
from newsletter.models import Cadence
from newsletter.subscribers.preferences import Preferences, add, change, resume, stop, view
from newsletter.web.public import keyword_preview, page_data
from newsletter.web.public.forms import SHORT_CADENCES, SUBJECTS, AddForm, SettingsForm
from newsletter.web.public.keyword_preview import NO_PREVIEW, preview_page
from newsletter.web.public.responses import SeeOther, invalid_link_page
from newsletter.web.public.submit import submit_renewal
from newsletter.web.public.time_zones import when

#: Topics and own words that one person may follow.
MOST = 100
#: What the page says after a button, by the word in its address.
DONE = {
    "saved": "Saved.",
    "stopped": "Stopped. You can undo it below for a day.",
    "resumed": "It comes again, as before.",
    "added": "Added.",
}


@dataclass(frozen=True)
class Shown:
    """The page's forms, as they are or as somebody filled them in."""

    settings: SettingsForm
    adding: AddForm
    preview: keyword_preview.Panel = NO_PREVIEW


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show them; or do what one button says, and come back."""
    if request.method == "POST" and "renew" in request.POST:
        return submit_renewal(request, token, "asked")
    now = clock.utcnow()
    found = view(token, now=now, vault=wiring.vault())
    if not isinstance(found, Preferences):
        return invalid_link_page(request, found, renew=True)
    if request.method != "POST":
        return _page(request, found, _fresh(found))
    for name in ("stop", "resume"):
        if name in request.POST:
            return _one(token, name, request.POST[name])
    return _add(request, token, found) if {"add", "preview"} & request.POST.keys() else _save(request, token, found)


def _one(token: str, name: str, number: str) -> HttpResponse:
    now, vault = clock.utcnow(), wiring.vault()
    subscription_id = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    if name == "stop":
        stop(token, subscription_id, now=now, vault=vault, cancel_planned=cancel_planned)
        return _back(token, "stopped")
    resume(token, subscription_id, now=now, vault=vault)
    return _back(token, "resumed")


def _save(request: HttpRequest, token: str, found: Preferences) -> HttpResponse:
    now = clock.utcnow()
    form = SettingsForm(request.POST, now=now, zone=found.mail_time.zone)
    if not form.is_valid():
        return _page(request, found, Shown(form, _fresh(found).adding))
    change(
        token,
        wiring.subscribing(now),
        cadences=_cadences(request.POST, found),
        mail_time=form.mail_time(),
        discreet=form.discreet(),
    )
    return _back(token, "saved")


def _cadences(data: Mapping[str, str], found: Preferences) -> dict[int, Cadence]:
    chosen = {one.subscription_id: data.get(f"cadence-{one.subscription_id}") for one in found.live}
    return {number: Cadence(int(value)) for number, value in chosen.items() if value in ("1", "2", "3")}


def _add(request: HttpRequest, token: str, found: Preferences) -> HttpResponse:
    now = clock.utcnow()
    form = AddForm(request.POST, topics=page_data.cards())
    if "preview" in request.POST:
        panel = keyword_preview.preview(form.keywords_to_preview(), now=now)
        return preview_page(_page(request, found, Shown(_fresh(found).settings, form, panel)), panel)
    if form.is_valid() and len(found.live) >= MOST:
        form.add_error("keyword", f"You follow {MOST} things already: stop one of them first.")
    if not form.is_valid():
        return _page(request, found, Shown(_fresh(found).settings, form))
    add(token, form.choices(), wiring.subscribing(now))
    return _back(token, "added")


def _fresh(found: Preferences) -> Shown:
    initial = {
        "hour": found.mail_time.hour,
        "weekday": found.mail_time.weekday,
        "zone": found.mail_time.zone,
        "subject": "neutral" if found.discreet else "headlines",
    }
    return Shown(
        SettingsForm(now=clock.utcnow(), zone=found.mail_time.zone, initial=initial), AddForm(topics=page_data.cards())
    )


def _page(request: HttpRequest, found: Preferences, shown: Shown) -> HttpResponse:
    wrong = shown.adding if shown.adding.errors else shown.settings
    followed = {one.topic_id for one in found.live}
    context = {
        "prefs": found,
        "form": wrong if wrong.errors else shown.settings,
        "settings": shown.settings,
        "adding": shown.adding,
        "preview": shown.preview,
        "topics": [card for card in page_data.cards() if card.id not in followed],
        "chosen": request.POST.getlist("topics"),
        "short_cadences": SHORT_CADENCES,
        "subjects": SUBJECTS,
        "next_mails": _next_mails(found),
        "leave": urls.path("unsubscribe", found.unsubscribe_token),
        "done": DONE.get(request.GET.get("done", "")),
        "private": True,
    }
    return render(request, "public/preferences.html.j2", context, status=422 if wrong.errors else 200)


def _next_mails(found: Preferences) -> str:
    now = clock.utcnow()
    followed = {one.cadence for one in found.live}
    coming = [
        f"Your next {words} mail: {when(slot, found.mail_time.zone, now)}."
        for cadence, words, slot in (
            (Cadence.DAILY, "daily", found.next_daily),
            (Cadence.WEEKLY, "weekly", found.next_weekly),
        )
        if cadence in followed and slot > now
    ]
    return " ".join(coming)


def _back(token: str, done: str) -> HttpResponse:
    return SeeOther(f"{urls.path('preferences', token)}?done={done}")
