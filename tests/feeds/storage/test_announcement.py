"""Which entries of a poll may be mailed."""

from datetime import datetime, timedelta

import pytest

from newsletter.feeds.parsing.model import ParsedEntry
from newsletter.feeds.storage.announcement import FeedHistory, announcement
from newsletter.feeds.storage.entry_identity import IdentifiedEntry
from tests import factories

#: The time of the first poll. Entries are written `guid@days` of their date before it, or `guid` without a date.
START = factories.NOW


def identified(text: str) -> IdentifiedEntry:
    guid, _, days = text.partition("@")
    published_at = START - timedelta(days=float(days)) if days else None
    entry = ParsedEntry(guid, "", guid, "", "", "", (), published_at, "")
    return IdentifiedEntry(entry, guid, "guid")


FIRST = ["a@3", "b@1", "c@2"]


@pytest.mark.parametrize(
    ("announce", "started_at", "entries", "expected"),
    [
        ("none", None, FIRST, ""),
        ("all", None, FIRST, "abc"),
        ("latest", None, FIRST, "b"),
        ("latest", None, ["a", "b", "c"], "a"),
        ("latest", None, ["a", "b@5", "c@9"], "b"),
        ("latest", None, ["a@1", "b@1"], "a"),
        ("latest", None, [], ""),
        # after an empty first poll, what was published since is news
        ("none", START, ["a@-1", "b@0", "c@1", "d"], "ab"),
        ("latest", START, ["c@1", "a@-1", "d"], "a"),
        ("latest", START, ["c@1", "d@2"], "c"),
    ],
)
def test_of_the_first_entries_those_that_the_feed_announces(
    announce: str, started_at: datetime | None, entries: list[str], expected: str
) -> None:
    history = FeedHistory(announce, started_at, is_empty=True)
    news = announcement(history, list(map(identified, entries)), (), truncated=False, oldest_stored=unexpected)
    assert "".join(sorted(news)) == expected


def unexpected() -> datetime:
    raise AssertionError("nothing old came: the oldest stored entry decides nothing")


@pytest.mark.parametrize(
    ("entries", "stored", "truncated", "expected"),
    [
        (["a@-1", "b@5"], "", False, "ab"),
        (["a@-1", "b@40"], "b", False, "ab"),
        # a single old one, or two, is a wrong date, or was put in later
        (["a@-1", "b@40", "c@41"], "", False, "abc"),
        # several are history, unless they are newer than what is stored
        (["a@-1", "b@40", "c@41", "d@42"], "", False, "a"),
        (["a@-1", "b@40", "c@41", "d@29"], "", False, "ad"),
        (["a", "b@40", "c@41", "d@42"], "", False, "a"),
        # not old enough: ten days before the first poll
        (["b@9", "c@9", "d@9"], "", False, "bcd"),
        # of a truncated feed each older one is history
        (["a@-1", "b@40"], "", True, "a"),
        (["a@-1", "b@29"], "", True, "ab"),
    ],
)
def test_of_later_entries_all_but_a_past_that_is_shown_late(
    entries: list[str], stored: str, truncated: bool, expected: str
) -> None:
    history = FeedHistory("none", START, is_empty=False)
    oldest = START - timedelta(days=30)
    news = announcement(
        history, list(map(identified, entries)), set(stored), truncated=truncated, oldest_stored=lambda: oldest
    )
    assert "".join(sorted(news)) == expected


def test_before_the_first_successful_poll_nothing_is_history() -> None:
    history = FeedHistory("none", None, is_empty=False)
    old = [identified(f"{guid}@{40}") for guid in "abc"]
    news = announcement(history, old, (), truncated=False, oldest_stored=unexpected)
    assert news == frozenset("abc")


def test_what_is_published_after_somebody_looked_at_a_new_feed_is_news():
    history = FeedHistory("none", None, is_empty=True, added_at=START)
    entries = [identified("before@0.01"), identified("then@0"), identified("after@-0.01")]
    assert announcement(history, entries, (), truncated=False, oldest_stored=unexpected) == {"after"}
