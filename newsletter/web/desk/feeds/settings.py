"""The settings of a feed. Preview shows its newest entries cut and filtered by what was typed, before anything is saved."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from newsletter import wiring
from newsletter.feeds.catalogue import manage
from newsletter.feeds.catalogue.feed_settings import FeedSettings, SettingsMoved, save_settings, settings_of
from newsletter.feeds.cutting.cut import MODES
from newsletter.feeds.storage.entry_filter import LISTS, describe_filter
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import Feed
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.feeds.feed import gone
from newsletter.web.desk.feeds.lookups import look
from newsletter.web.desk.page import done, page
from newsletter.web.filters import sentence
from newsletter.worker import tasks


class FeedSettingsForm(forms.Form):
    """The settings of a feed as a person types them: lists have one name per line."""

    title = forms.CharField(max_length=500, required=False)
    cut = forms.ChoiceField(choices=[(mode, mode) for mode in (*MODES, "selector")])
    selector = forms.CharField(max_length=500, required=False)
    authors = forms.CharField(max_length=10_000, required=False)
    categories = forms.CharField(max_length=10_000, required=False)
    languages = forms.CharField(max_length=2_000, required=False)
    announce = forms.ChoiceField(choices=[(value, value) for value in Feed.Announce.values], required=False)
    based_on = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        """A selector is needed where one is to be used."""
        cleaned = super().clean() or {}
        if cleaned.get("cut") == "selector" and not cleaned.get("selector", "").strip():
            self.add_error("selector", gettext("Type a CSS selector, such as h3 or p.article"))
        return cleaned

    def wanted(self, present: FeedSettings) -> FeedSettings:
        """The settings that were typed; `announce` stays where it was not asked for."""
        typed = self.cleaned_data
        cut = typed["selector"].strip() if typed["cut"] == "selector" else typed["cut"]
        only = {name: typed[name].splitlines() for name in LISTS}
        return FeedSettings(typed["title"], cut, only, typed["announce"] or present.announce)


def _filled(settings: FeedSettings) -> dict[str, str]:
    """The form as it begins."""
    lists = {name: "\n".join(settings.only.get(name, ())) for name in LISTS}
    by_selector = settings.cut not in MODES
    return {
        "title": settings.title,
        "cut": "selector" if by_selector else settings.cut,
        "selector": settings.cut if by_selector else "",
        "announce": settings.announce,
        **lists,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, feed_id: int) -> HttpResponse:
    """Show the settings of a feed; on POST preview what they would do, or save them."""
    feed = Feed.objects.exclude(state=Feed.State.BY_HAND).filter(id=feed_id).first()
    if feed is None:
        return gone(request)
    present = settings_of(feed)
    if request.method != "POST":
        return _show(request, feed, FeedSettingsForm(initial=_filled(present)), present.version)
    form = FeedSettingsForm(request.POST)
    based_on = request.POST.get("based_on", "")
    if not form.is_valid():
        return _show(request, feed, form, based_on, status=422)
    wanted = form.wanted(present)
    if "save" in request.POST:
        return _save(request, feed, form, wanted, based_on)
    fetcher, now = wiring.page_fetcher(), db.now()
    checked = look(lambda: manage.check(feed.url, only=wanted.only, cut=wanted.cut, fetcher=fetcher, now=now))
    if isinstance(checked, Refused):
        return _show(request, feed, form, based_on, status=422, reason=sentence(checked.reason))
    return _show(request, feed, form, based_on, checked=checked)


def _save(
    request: HttpRequest, feed: Feed, form: FeedSettingsForm, wanted: FeedSettings, based_on: str
) -> HttpResponse:
    saved = save_settings(feed.id, wanted, based_on=based_on, now=db.now(), actor=actor_of(request))
    if isinstance(saved, SettingsMoved):
        # saving once more is then "mine on top": the page shows what of theirs it replaces
        differences = tuple(_differences(saved.theirs, wanted))
        return _show(request, feed, form, saved.theirs.version, status=409, differences=differences)
    if isinstance(saved, Refused):
        return _show(request, feed, form, based_on, status=422, reason=sentence(saved.reason))
    tasks.publish("refresh_due")
    text = gettext("The settings of “%(feed)s” are saved.") % {"feed": saved.title or feed.url}
    return done(request, text, reverse("desk_feeds_feed", args=[feed.id]))


def _differences(theirs: FeedSettings, mine: FeedSettings) -> Iterator[tuple[str, str, str]]:
    """(what, as somebody else saved it, as it was typed here) of each setting that differs."""
    rows = (
        (gettext("Title"), theirs.title or gettext("the feed’s own"), mine.title or gettext("the feed’s own")),
        (gettext("Cut"), theirs.cut, mine.cut),
        (gettext("Lets through"), _only(theirs), _only(mine)),
        (gettext("First read"), theirs.announce, mine.announce),
    )
    return (row for row in rows if row[1] != row[2])


def _only(settings: FeedSettings) -> str:
    return describe_filter(settings.only) or gettext("everything")


def _show(
    request: HttpRequest, feed: Feed, form: FeedSettingsForm, based_on: str, *, status: int = 200, **found: Any
) -> HttpResponse:
    context = {"reason": "", "checked": None, "differences": (), **found}
    context |= {"feed": feed, "form": form, "based_on": based_on, "asks_announce": feed.started_at is None}
    return page(request, "desk/feeds/settings.html.j2", context, status=status)
