"""The state of a topic in a word, and what to do about it: the list, the topic's page, Home and the command line print this."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from newsletter.lib.i18n import mark
from newsletter.matching.topics.limits import DAYS, MANY_PER_DAY, NOISY_FROM, SILENT
from newsletter.models import Topic


class Rank(IntEnum):
    """In which order topics are listed: what needs somebody comes first."""

    BROKEN = 0
    HELD = 1
    NOISY = 2
    WIDE = 3
    SILENT = 4
    LIVE = 5
    RETIRED = 6

    @property
    def needs_somebody(self) -> bool:
        """Whether an admin should look at it."""
        return self < Rank.LIVE


#: Untranslated: pages translate them, commands print them.
WORDS: Final = {
    Rank.BROKEN: mark("broken"),
    Rank.HELD: mark("on hold"),
    Rank.NOISY: mark("noisy"),
    Rank.WIDE: mark("too wide"),
    Rank.SILENT: mark("silent"),
    Rank.LIVE: mark("live"),
    Rank.RETIRED: mark("retired"),
}


@dataclass(frozen=True)
class TopicFacts:
    """What the state of a topic depends on, besides the topic itself. `last`: when it last matched, if in the last 90 days."""

    query: str
    last: datetime | None
    #: Items of the last seven days.
    recent: int
    #: Objections of 90 days.
    objections: int
    #: Whether there were any items in the last 30 days.
    items_came: bool


@dataclass(frozen=True)
class TopicCondition:
    """The state of a topic: how bad, since when, and why and what to do in a sentence, which is empty for one that is fine."""

    rank: Rank
    since: datetime | None = None
    advice: str = ""

    @property
    def word(self) -> str:
        """The state in a word."""
        return WORDS[self.rank]


def condition(topic: Topic, facts: TopicFacts, *, now: datetime) -> TopicCondition:
    """The state of a curated topic."""
    if topic.state == Topic.State.RETIRED:
        return TopicCondition(Rank.RETIRED)
    if reason := never_matches(facts.query):
        return TopicCondition(Rank.BROKEN, None, f"It can never match: {reason}. Change the query.")
    if topic.held_since is not None:
        waits = "Its matches are collected and not mailed. Release it, or retire it."
        return TopicCondition(Rank.HELD, topic.held_since, waits)
    if facts.objections >= NOISY_FROM:
        told = f"Readers said {facts.objections} times that an article is not about it. Look at its spellings."
        return TopicCondition(Rank.NOISY, None, told)
    per_day = facts.recent / 7
    if per_day > MANY_PER_DAY:
        return TopicCondition(Rank.WIDE, None, f"It matches {per_day:.0f} items a day. Narrow the query.")
    since = max(facts.last or now - timedelta(days=DAYS), topic.created_at)
    if since < now - SILENT and facts.items_came:
        silent = f"It matched nothing for {(now - since).days} days, while other items came. Preview a wider query."
        return TopicCondition(Rank.SILENT, since, silent)
    return TopicCondition(Rank.LIVE)


def never_matches(query: str) -> str | None:
    """Why no item can match this query. Returns None if one could."""
    # only where there is a topic: `status` and lists work without the query language
    from newsletter.matching.query import language
    from newsletter.matching.query.contradictions import contradiction
    from newsletter.matching.query.query_error import QueryError

    try:
        return contradiction(language.parse(query))
    except QueryError as error:
        return f"column {error.column}, {error.hint}"
