"""What somebody follows and how it comes, behind a link mailed within the last 24 hours."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from newsletter import wiring
from newsletter.delivery.ledger.cancel import cancel_planned
from newsletter.lib import clock, urls
from newsletter.models import Cadence
from newsletter.subscribers.preferences import (
    Preferences,
    add,
    change_frequency,
    change_mail_time,
    resume,
    stop,
    view,
)
from newsletter.web.public import keyword_preview, page_data
from newsletter.web.public.forms import NO_ZONE, SHORT_CADENCES, SUBJECTS, AddForm, SettingsForm
from newsletter.web.public.keyword_preview import NO_PREVIEW, preview_page
from newsletter.web.public.mail_times import when
from newsletter.web.public.responses import invalid_link_page
from newsletter.web.public.submit import submit_renewal
from newsletter.web.see_other import SeeOther
from newsletter.web.typed_number import typed_number

#: Topics and own words that one person may follow.
MOST = 100
#: What the page says after a button, by the word in its address.
DONE = {
    "saved": _("Saved."),
    "zone": _("Saved. Your time zone is UTC. Is that right? If not, change it below."),
    "stopped": _("Stopped. You can undo this for a day."),
    "resumed": _("You follow it again."),
    "added": _("Added."),
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
    current = view(token, now=now, vault=wiring.vault())
    if not isinstance(current, Preferences):
        return invalid_link_page(request, current, renew=True)
    if request.method != "POST":
        return _page(request, current, _fresh(current))
    if "stop" in request.POST:
        return _stop(token, typed_number(request.POST["stop"]) or 0)
    if "resume" in request.POST:
        return _resume(token, typed_number(request.POST["resume"]) or 0)
    if "frequency" in request.POST:
        return _change_frequency(request, token, current)
    return _add(request, token, current) if {"add", "preview"} & request.POST.keys() else _save(request, token, current)


def _stop(token: str, subscription_id: int) -> HttpResponse:
    stop(token, subscription_id, now=clock.utcnow(), vault=wiring.vault(), cancel_planned=cancel_planned)
    return _back(token, "stopped")


def _resume(token: str, subscription_id: int) -> HttpResponse:
    resume(token, subscription_id, now=clock.utcnow(), vault=wiring.vault())
    return _back(token, "resumed")


def _change_frequency(request: HttpRequest, token: str, current: Preferences) -> HttpResponse:
    """Save it. Who was never asked for a time zone is asked to check it, once a digest depends on it."""
    chosen = request.POST.get("cadence", "")
    if chosen not in ("1", "2", "3"):
        return SeeOther(urls.path("preferences", token))
    cadence, subscription_id = Cadence(int(chosen)), typed_number(request.POST["frequency"]) or 0
    change_frequency(token, subscription_id, cadence, now=clock.utcnow(), vault=wiring.vault())
    unchecked = cadence != Cadence.IMMEDIATE and current.mail_time.zone == NO_ZONE
    return _back(token, "zone" if unchecked else "saved")


def _save(request: HttpRequest, token: str, current: Preferences) -> HttpResponse:
    now = clock.utcnow()
    form = SettingsForm(request.POST, now=now, zone=current.mail_time.zone)
    if not form.is_valid():
        return _page(request, current, Shown(form, _fresh(current).adding))
    change_mail_time(token, wiring.subscribing(now), form.mail_time(), discreet=form.discreet())
    return _back(token, "saved")


def _add(request: HttpRequest, token: str, current: Preferences) -> HttpResponse:
    now = clock.utcnow()
    form = AddForm(request.POST, topics=page_data.cards())
    if "preview" in request.POST:
        panel = keyword_preview.preview(form.keywords_to_preview(), now=now)
        return preview_page(_page(request, current, Shown(_fresh(current).settings, form, panel)), panel)
    if form.is_valid() and len(current.live) >= MOST:
        form.add_error(
            "keyword", gettext("You already follow {count} topics and keywords. Stop one first.").format(count=MOST)
        )
    if not form.is_valid():
        return _page(request, current, Shown(_fresh(current).settings, form))
    add(token, form.choices(), wiring.subscribing(now))
    return _back(token, "added")


def _fresh(current: Preferences) -> Shown:
    initial = {
        "hour": current.mail_time.hour,
        "weekday": current.mail_time.weekday,
        "zone": current.mail_time.zone,
        "subject": "neutral" if current.discreet else "headlines",
    }
    return Shown(
        SettingsForm(now=clock.utcnow(), zone=current.mail_time.zone, initial=initial),
        AddForm(topics=page_data.cards(), initial={"cadence": current.usual_cadence.value}),
    )


def _page(request: HttpRequest, current: Preferences, shown: Shown) -> HttpResponse:
    wrong = shown.adding if shown.adding.errors else shown.settings
    listed = {topic.topic_id for topic in (*current.live, *current.stopped)}
    context = {
        "prefs": current,
        "form": wrong if wrong.errors else shown.settings,
        "settings": shown.settings,
        "adding": shown.adding,
        "preview": shown.preview,
        "topics": [card for card in page_data.cards() if card.id not in listed],
        "chosen": request.POST.getlist("topics"),
        "short_cadences": SHORT_CADENCES,
        "subjects": SUBJECTS,
        "next_mails": _next_mails(current),
        "leave": urls.path("unsubscribe", current.unsubscribe_token),
        "done": DONE.get(request.GET.get("done", "")),
        "private": True,
    }
    return render(request, "public/preferences.html.j2", context, status=422 if wrong.errors else 200)


def _next_mails(current: Preferences) -> str:
    now = clock.utcnow()
    followed = {topic.cadence for topic in current.live}
    coming = [
        text.format(when=when(slot, current.mail_time.zone, now))
        for cadence, text, slot in (
            (Cadence.DAILY, gettext("Your next daily email comes {when}."), current.next_daily),
            (Cadence.WEEKLY, gettext("Your next weekly email comes {when}."), current.next_weekly),
        )
        if cadence in followed and slot > now
    ]
    return " ".join(coming)


def _back(token: str, done: str) -> HttpResponse:
    return SeeOther(f"{urls.path('preferences', token)}?done={done}")
