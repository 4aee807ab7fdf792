"""The list of feeds, and what can be done to many of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from newsletter.feeds.catalogue import manage_many
from newsletter.feeds.catalogue.feed_list import TROUBLE, ListedFeed, list_feeds
from newsletter.feeds.catalogue.manage_many import ChangedFeeds
from newsletter.lib import db
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.charts import BarChart, bar_chart
from newsletter.web.desk.feeds.forms import FeedChange, FeedFilter
from newsletter.web.desk.page import done, page, refused
from newsletter.web.filters import short_day
from newsletter.web.see_other import SeeOther
from newsletter.worker import tasks


@dataclass(frozen=True)
class FeedLine:
    """A row of the list."""

    feed: ListedFeed
    chart: BarChart
    #: In the days of the chart.
    items: int


@require_safe
def feeds(request: HttpRequest) -> HttpResponse:
    """All feeds, what needs somebody first."""
    now, wanted = db.now(), FeedFilter(request.GET)
    found = list_feeds(
        now=now,
        wanted=wanted.value("health"),
        words=wanted.value("words"),
        after=wanted.value("after"),
        zone=timezone.get_current_timezone(),
    )
    wanted.offer(found.by_health)
    filters = {name: wanted.value(name) for name in ("health", "words") if wanted.value(name)}
    context = {
        "lines": [_line(listed) for listed in found.feeds],
        "found": found,
        "total": sum(count for word, count in found.by_health.items() if word != TROUBLE),
        "trouble": found.by_health.get(TROUBLE, 0),
        "form": wanted,
        "filters": filters,
        "query": urlencode(filters),
        "now": now,
    }
    return page(request, "desk/feeds/list.html.j2", context)


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Check, pause, resume or remove the feeds that are meant; removing leads to a page that says what goes."""
    asked, now = FeedChange(request.POST), db.now()
    if not asked.is_valid():
        return refused(request, gettext("Choose what to do, and to which feeds."), reverse("desk_feeds"))
    ids = _meant(request, asked, now)
    back = _back(request, asked, ids)
    if not ids:
        return refused(request, gettext("Tick the feeds that you mean first."), back)
    if len(ids) > manage_many.MOST:
        return refused(request, gettext("These are too many feeds at once: narrow the list."), back)
    action = asked.cleaned_data["action"]
    if action == "remove":
        return SeeOther(f"{reverse('desk_feeds_remove')}?{urlencode({'feeds': ','.join(map(str, ids))})}")
    changed = manage_many.change_many(action, ids, now=now, actor=actor_of(request))
    if action in ("check", "resume"):
        tasks.publish("refresh_due")
    if not changed.done:
        return refused(
            request, gettext("Somebody has removed what you chose: nothing was done."), reverse("desk_feeds")
        )
    return done(request, said(action, changed), back)


def said(action: str, changed: ChangedFeeds) -> str:
    """What was done, in a sentence."""
    if changed.title:
        one = {
            "check": gettext("“%(feed)s” is read now."),
            "pause": gettext("“%(feed)s” is paused."),
            "resume": gettext("“%(feed)s” is read again."),
            "remove": gettext("“%(feed)s” is removed."),
        }
        return one[action] % {"feed": changed.title}
    n = changed.done
    many = {
        "check": ngettext("%(n)s feed is read now.", "%(n)s feeds are read now.", n),
        "pause": ngettext("%(n)s feed is paused.", "%(n)s feeds are paused.", n),
        "resume": ngettext("%(n)s feed is read again.", "%(n)s feeds are read again.", n),
        "remove": ngettext("%(n)s feed is removed.", "%(n)s feeds are removed.", n),
    }
    return many[action] % {"n": f"{n:,}"}


def _meant(request: HttpRequest, asked: FeedChange, now: datetime) -> Sequence[int]:
    """The ids of the feeds that are meant: a scope counts as it is now, not as it was on the page."""
    scope = asked.cleaned_data["scope"] or "ticked"
    if scope == "ticked":
        return tuple(dict.fromkeys(asked.cleaned_data["feed"]))
    if scope == "trouble":
        return list_feeds(now=now, wanted=TROUBLE, size=0).ids
    wanted = FeedFilter(request.POST)
    return list_feeds(now=now, wanted=wanted.value("health"), words=wanted.value("words"), size=0).ids


def _back(request: HttpRequest, asked: FeedChange, ids: Sequence[int]) -> str:
    """The page that the button was on."""
    if asked.cleaned_data["back"] == "feed" and len(ids) == 1:
        return reverse("desk_feeds_feed", args=[ids[0]])
    wanted = FeedFilter(request.POST)
    filters = {name: wanted.value(name) for name in ("health", "words", "after") if wanted.value(name)}
    return f"{reverse('desk_feeds')}?{urlencode(filters)}" if filters else reverse("desk_feeds")


def _line(listed: ListedFeed) -> FeedLine:
    total = sum(count for _, count in listed.items_per_day)
    label = ngettext("%(n)s item in 30 days", "%(n)s items in 30 days", total) % {"n": f"{total:,}"}
    points = [(short_day(day), count) for day, count in listed.items_per_day]
    return FeedLine(listed, bar_chart(label, points, width=120, height=24), total)
