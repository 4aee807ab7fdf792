"""What is wrong with feeds, and with articles that came and did not go out."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.feeds.catalogue.feed_health import NEEDS_SOMEBODY
from newsletter.feeds.catalogue.unwell_feeds import UnwellFeed
from newsletter.status.attention import Attention
from newsletter.status.problem import DeskLink, Problem, ProblemKind, Severity

#: Feeds that are named one by one.
MOST_NAMED = 5


def unwell_feeds(found: Attention) -> Iterator[Problem]:
    """The feeds that need attention, as one problem with a part for each of the first."""
    unwell = {word: count for word, count in found.feeds.counts.items() if word in NEEDS_SOMEBODY}
    if unwell:
        number = sum(unwell.values())
        yield Problem(
            ProblemKind.FEEDS,
            Severity.DECIDE,
            ngettext("{count} feed needs a look ({which})", "{count} feeds need a look ({which})", number),
            {"count": number, "which": ", ".join(f"{count} {word}" for word, count in unwell.items())},
            advice=_("see 'newsletter feeds list'"),
            link=DeskLink("desk_feeds", _("Look at the feeds")),
            parts=tuple(map(_feed, found.feeds.unwell[:MOST_NAMED])),
        )


def _feed(feed: UnwellFeed) -> Problem:
    texts = {
        "broken": ngettext(
            "the feed “{name}” could not be read {count} time in a row",
            "the feed “{name}” could not be read {count} times in a row",
            feed.failures,
        ),
        "late": _("the feed “{name}” should have been read at {since}, and was not"),
        "silent": _("the feed “{name}” has been silent since {since}, for much longer than usual"),
        "ended": _("the feed “{name}” has ended: its site says that it is gone for good"),
        "quarantined": _("the feed “{name}” is quarantined: reading it had to be stopped by force"),
    }
    return Problem(
        ProblemKind.FEEDS,
        Severity.DECIDE,
        texts[feed.health.word],
        {"name": feed.name, "count": feed.failures, "since": feed.health.since},
        since=feed.health.since,
        link=DeskLink("desk_feeds_feed", _("Look at the feed"), {"feed_id": feed.id}),
    )


def open_incidents(found: Attention) -> Iterator[Problem]:
    """How many incidents of feeds are open."""
    if found.incidents:
        yield Problem(
            ProblemKind.INCIDENTS,
            Severity.DECIDE,
            ngettext("{count} open incident of feeds", "{count} open incidents of feeds", found.incidents),
            {"count": found.incidents},
            advice=_("see 'newsletter feeds incidents'"),
            link=DeskLink("desk_feeds", _("Look at the feeds")),
        )


def waiting_articles(found: Attention) -> Iterator[Problem]:
    """Articles for which mails had no room for too long."""
    if found.left_over:
        yield Problem(
            ProblemKind.LEFT_OVER,
            Severity.LOOK,
            ngettext(
                "{count} article waiting for room in a mail for more than 10 days",
                "{count} articles waiting for room in a mail for more than 10 days",
                found.left_over,
            ),
            {"count": found.left_over},
            advice=_("a topic matches too much, see 'newsletter topics list'"),
            link=DeskLink("desk_topics", _("Find the topic that matches too much")),
        )


def skipped_digests(found: Attention) -> Iterator[Problem]:
    """Digests that were found too late, and not sent."""
    if found.digests_skipped:
        yield Problem(
            ProblemKind.DIGESTS_SKIPPED,
            Severity.LOOK,
            ngettext(
                "{count} digest of the last 7 days skipped, more than 6 hours late: the next ones have all that was left out",
                "{count} digests of the last 7 days skipped, more than 6 hours late: the next ones have all that was left out",
                found.digests_skipped,
            ),
            {"count": found.digests_skipped},
        )
