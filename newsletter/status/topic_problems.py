"""What is wrong with topics, or waits for somebody's decision."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsletter.matching.topics.topic_needs import TopicNeed
from newsletter.matching.topics.topic_state import Rank
from newsletter.status.attention import Attention
from newsletter.status.problem import DeskLink, Problem, ProblemKind, Severity

#: Topics that are named one by one.
MOST_NAMED = 5


def topics_in_need(found: Attention) -> Iterator[Problem]:
    """The topics that can never match, and those on hold: each by name, for there are few."""
    yield from map(_topic, found.topics[:MOST_NAMED])


def _topic(need: TopicNeed) -> Problem:
    held = need.condition.rank == Rank.HELD
    return Problem(
        ProblemKind.TOPICS,
        Severity.LOOK if held else Severity.DECIDE,
        _("the topic “{name}” is on hold: its matches are mailed to nobody")
        if held
        else _("the topic “{name}” can never match: its query contradicts itself"),
        {"name": need.name},
        since=need.condition.since,
        advice=_("'newsletter topics release NAME' releases it")
        if held
        else _("'newsletter topics edit NAME' changes its query"),
        link=DeskLink("desk_topics_topic", _("Look at the topic"), {"topic_id": need.topic_id}),
    )
