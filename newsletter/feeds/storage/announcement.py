"""Decide which entries of a poll are news that may be mailed, and which are history."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.feeds.storage.entry_identity import IdentifiedEntry

#: Entries so much older than the first poll are history when so many of them come at once.
OLD, SEVERAL = timedelta(days=10), 3


@dataclass(frozen=True)
class FeedHistory:
    """What is known of a feed before a poll.

    `announce` says what of its first entries may be mailed: none, latest or all. `started_at` is the time of its first
    successful poll, None before that. `is_empty`: none of its entries is stored yet. `added_at` is the time when somebody first
    looked at it to add it: what it published after that is news, however late its first poll is.
    """

    announce: str
    started_at: datetime | None
    is_empty: bool
    added_at: datetime | None = None


def announcement(
    history: FeedHistory,
    entries: Sequence[IdentifiedEntry],
    stored: Collection[str],
    *,
    truncated: bool,
    oldest_stored: Callable[[], datetime],
) -> frozenset[str]:
    """Return the guids of the entries that may be mailed.

    `stored` are the guids of those that are stored already. `truncated`: the feed has more entries than are read.
    `oldest_stored` returns the date of the oldest stored entry; it is called only if that decides something.
    """
    if history.is_empty:
        return _first_entries(history, entries)
    new = [entry for entry in entries if entry.guid not in stored]
    old = _old_entries(history, new, truncated, oldest_stored)
    return frozenset(entry.guid for entry in entries) - old


def _first_entries(history: FeedHistory, entries: Sequence[IdentifiedEntry]) -> frozenset[str]:
    """Of the first entries of a feed: those that `announce` asks for, and those published since it was added."""
    if history.announce == "all":
        return frozenset(entry.guid for entry in entries)
    news = {entry.guid for entry in entries if entry.published_at and _is_later(history, entry.published_at)}
    if history.announce == "latest" and entries:
        news.add(_newest(entries).guid)
    return frozenset(news)


def _is_later(history: FeedHistory, published_at: datetime) -> bool:
    """True for an entry published after the feed was added, or since an empty first poll."""
    if history.added_at is not None and published_at > history.added_at:
        return True
    return history.started_at is not None and published_at >= history.started_at


def _newest(entries: Sequence[IdentifiedEntry]) -> IdentifiedEntry:
    """Return the newest by date; the first one where dates are missing or the same, as feeds list their newest first."""
    dated = [entry for entry in entries if entry.published_at]
    return max(dated, key=lambda entry: entry.published_at or datetime.min) if dated else entries[0]  # noqa: DTZ901


def _old_entries(
    history: FeedHistory, new: Sequence[IdentifiedEntry], truncated: bool, oldest_stored: Callable[[], datetime]
) -> frozenset[str]:
    """Return the guids of new entries that are history: the feed shows more of its past than before.

    They were old when the feed was first read, are older than all that is stored of it, and come several at once. A single one
    is a date gone wrong, or something put in later: news all the same. But of a `truncated` feed, the next older entry is read
    when a newer one is taken back.
    """
    if history.started_at is None:
        return frozenset()
    before = history.started_at if truncated else history.started_at - OLD
    old = {entry.guid: entry.published_at for entry in new if entry.published_at and entry.published_at < before}
    if not old or (len(old) < SEVERAL and not truncated):
        return frozenset()
    oldest = oldest_stored()
    return frozenset(guid for guid, published_at in old.items() if published_at < oldest)
