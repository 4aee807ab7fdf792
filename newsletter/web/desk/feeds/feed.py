"""The page of one feed: how it is, its fetches, incidents, archive and entries."""

from collections.abc import Sequence

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from newsletter.feeds.catalogue import archive_requests, feed_list, feed_status
from newsletter.feeds.catalogue.feed_entries import entry_page, incidents_of
from newsletter.feeds.catalogue.feed_status import FetchRow
from newsletter.feeds.storage import incidents
from newsletter.feeds.storage.entry_filter import describe_filter
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.web.desk.access import actor_of, admin_of
from newsletter.web.desk.audit.lines import history
from newsletter.web.desk.charts import BarChart, bar_chart
from newsletter.web.desk.page import done, page, refused
from newsletter.web.filters import sentence, short, short_day
from newsletter.web.typed_number import typed_number
from newsletter.worker import tasks

#: Fetches in the chart, and in the table below it.
CHARTED, LISTED = 60, 10


class ArchiveForm(forms.Form):
    """How much of a feed's archive is read."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("start", "stop")])
    pages = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    restart = forms.BooleanField(required=False)
    skip = forms.BooleanField(required=False)


@require_safe
def feed(request: HttpRequest, feed_id: int) -> HttpResponse:
    """How a feed is, and what it brought."""
    now = db.now()
    row = feed_status.row_of(feed_id, now=now)
    if row is None:
        return gone(request)
    after = typed_number(request.GET.get("after"))
    fetches = feed_status.fetches(feed_id, CHARTED)
    days = feed_list.items_per_day([feed_id], now=now, zone=timezone.get_current_timezone())[feed_id]
    total = sum(count for _, count in days)
    label = ngettext("%(n)s item in 30 days", "%(n)s items in 30 days", total) % {"n": f"{total:,}"}
    context = {
        "row": row,
        "now": now,
        "only": describe_filter(row.only),
        "entries": entry_page(feed_id, after=after),
        "older": after is not None,
        "fetches": fetches[:LISTED],
        "fetch_chart": _fetch_chart(fetches),
        "day_chart": bar_chart(label, [(short_day(day), count) for day, count in days]),
        "incidents": incidents_of(feed_id),
        "archive": archive_requests.progress_of(feed_id),
        "lines": history("feed", feed_id, admin_of(request)),
    }
    return page(request, "desk/feeds/feed.html.j2", context)


def gone(request: HttpRequest) -> HttpResponse:
    """The page of a feed that is not there, or not any more."""
    return page(request, "desk/feeds/gone.html.j2", status=404)


@require_POST
def archive(request: HttpRequest, feed_id: int) -> HttpResponse:
    """Start or stop reading a feed's archive, which a worker does."""
    form, url = ArchiveForm(request.POST), reverse("desk_feeds_feed", args=[feed_id]) + "#archive"
    if not form.is_valid():
        return refused(request, gettext("Type a number of pages from 1 to 100,000, or leave it empty for all."), url)
    asked, now = form.cleaned_data, db.now()
    if asked["action"] == "stop":
        answer = archive_requests.stop_archive(feed_id, now=now, actor=actor_of(request))
        text = gettext("Reading the archive is stopped. What was read stays.")
    else:
        answer = archive_requests.request_archive(
            feed_id,
            pages=asked["pages"] or 0,
            restart=asked["restart"],
            skip=asked["skip"],
            now=now,
            actor=actor_of(request),
        )
        text = gettext("The archive is being read. You can leave this page; nothing of it is mailed.")
        tasks.publish("archives")
    return refused(request, sentence(answer.reason), url) if isinstance(answer, Refused) else done(request, text, url)


@require_POST
def close_incident(request: HttpRequest, feed_id: int, incident_id: int) -> HttpResponse:
    """Close an incident that somebody has looked at."""
    url = reverse("desk_feeds_feed", args=[feed_id])
    if not incidents.close_by_id(incident_id, db.now(), actor=actor_of(request)):
        return refused(request, gettext("This incident is closed already."), url)
    return done(request, gettext("The incident is closed."), url)


def _fetch_chart(fetches: Sequence[FetchRow]) -> BarChart:
    """Milliseconds of the last fetches, the oldest first; those that failed are marked."""
    oldest_first = fetches[::-1]
    failed = sum(bool(fetch.error) for fetch in fetches)
    label = ngettext("%(n)s read, %(failed)s of them failed", "%(n)s reads, %(failed)s of them failed", len(fetches))
    points = [
        (
            f"{short(fetch.at)}, {fetch.status or gettext('no answer')}{', ' + fetch.error if fetch.error else ''}",
            fetch.ms,
        )
        for fetch in oldest_first
    ]
    marked = {place for place, fetch in enumerate(oldest_first) if fetch.error}
    return bar_chart(label % {"n": len(fetches), "failed": failed}, points, marked=marked, unit="ms")
