"""What needs attention, the gravest first: for `status` and `doctor`, for Home and the numbers in the desk's navigation."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsletter import wiring
from newsletter.status.attention import SILENT, Attention
from newsletter.status.feed_problems import open_incidents, skipped_digests, unwell_feeds, waiting_articles
from newsletter.status.message_problems import messages_to_decide
from newsletter.status.problem import DeskLink, Problem, ProblemKind, Severity
from newsletter.status.sending_problems import (
    held_up,
    mails_to_decide,
    provider_problems,
    reputation_warnings,
    sending_paused,
    sign_ups_slowed,
)
from newsletter.status.topic_problems import topics_in_need


def problems(found: Attention) -> Iterator[Problem]:
    """Everything that needs attention."""
    yield from not_running(found)
    yield from sending_paused(found)
    yield from provider_problems(found)
    yield from map(held_up, found.held_up)
    yield from mails_to_decide(found)
    yield from messages_to_decide(found)
    yield from unwell_feeds(found)
    yield from open_incidents(found)
    yield from topics_in_need(found)
    yield from reputation_warnings(found)
    yield from sign_ups_slowed(found)
    yield from waiting_articles(found)
    yield from skipped_digests(found)
    yield from _missing(found)


def not_running(found: Attention) -> Iterator[Problem]:
    """Why nothing is done at present."""
    if found.running:
        return
    minutes = round(SILENT.total_seconds() / 60)
    text, advice = (
        (
            _("no worker has looked for due work for {minutes} minutes, although one is alive"),
            _("restart the service"),
        )
        if found.alive
        else (
            _("no worker runs, so nothing is read or sent"),
            _("start the service with 'newsletter run'"),
        )
    )
    yield Problem(
        ProblemKind.NOT_RUNNING,
        Severity.STOPPED,
        text,
        {"minutes": minutes},
        since=found.last_look_at,
        advice=advice,
        link=DeskLink("desk_sending", _("Look at the workers")),
    )


def _missing(found: Attention) -> Iterator[Problem]:
    """What a new installation has not got yet."""
    kind, missing = ProblemKind, Severity.MISSING
    if not found.has_feeds:
        advice = _("add one with 'newsletter feeds add URL'")
        yield Problem(
            kind.NO_FEEDS, missing, _("no feeds yet"), advice=advice, link=DeskLink("desk_feeds_add", _("Add a feed"))
        )
    if not found.has_topics:
        advice = _("add one with 'newsletter topics add NAME --query QUERY'")
        link = DeskLink("desk_topics_new", _("Make a topic"))
        yield Problem(kind.NO_TOPICS, missing, _("no topics yet"), advice=advice, link=link)
    if not found.has_subscribers:
        advice = _("people subscribe at {page}, or use 'newsletter subscribers add'").format(
            page=wiring.config().base_url
        )
        link = DeskLink("subscribe", _("Subscribe yourself"))
        yield Problem(kind.NO_SUBSCRIBERS, missing, _("no active subscribers yet"), advice=advice, link=link)
