"""What a feed would bring, which topics that matches, and how many people it would mail, before it is added.

Feeds, matching and editions know nothing of each other; this puts their answers together.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter import wiring
from newsletter.audit.actor import Actor
from newsletter.editions.owed import followers
from newsletter.feeds.catalogue import new_feed, probe
from newsletter.feeds.catalogue.new_feed import AddedFeed, NewFeed
from newsletter.feeds.catalogue.probe import CheckedEntry, CheckedFeed, FoundFeed
from newsletter.feeds.cutting.cut import Piece
from newsletter.lib.refused import Refused
from newsletter.lib.small_numbers import PeopleCount, people_count
from newsletter.matching.engine.document import Document
from newsletter.matching.topics.matching_topics import MatchingTopic, matching_topics

#: Entries that are cut and matched for the numbers of a preview: whoever waits for a page waits for that.
COUNTED = 100


@dataclass(frozen=True)
class EntryMatches:
    """An entry as it would be cut, and for each of its pieces the curated topics that it matches."""

    entry: CheckedEntry
    topics: tuple[tuple[MatchingTopic, ...], ...]


@dataclass(frozen=True)
class AnnounceChoice:
    """What would be mailed under one value of `announce`: so many entries, made of so many items, to so many people.

    `people` follow one of the curated topics that these match; those who follow a keyword of their own are not counted.
    """

    announce: str
    entries: int
    items: int
    matching: int
    people: PeopleCount


@dataclass(frozen=True)
class FeedPreview:
    """A feed that could be added: `newest` entries with what they match, and what each choice would mail."""

    found: FoundFeed
    feed: CheckedFeed
    newest: tuple[EntryMatches, ...]
    choices: tuple[AnnounceChoice, ...]

    @property
    def counted(self) -> int:
        """How many of its entries, the newest, the numbers are of."""
        return len(self.feed.entries)

    def choice(self, announce: str) -> AnnounceChoice | None:
        """What this value of `announce` would mail; None if there is no such value."""
        return next((choice for choice in self.choices if choice.announce == announce), None)


def preview_feed(
    url: str, *, only: Mapping[str, Iterable[str]] | None = None, cut: str = "auto", now: datetime
) -> FeedPreview | Refused:
    """Read the feed at `url`, which is not in the list yet, and say what adding it would do. Nothing is stored."""
    wanted = NewFeed(only=only or {}, cut=cut)
    refused = new_feed.wrong_choice(wanted)
    if refused is not None:
        return refused
    found = new_feed.find_new(url, fetcher=wiring.page_fetcher(), now=now)
    return found if isinstance(found, Refused) else preview_found(found, only=only, cut=cut, now=now)


def preview_found(
    found: FoundFeed, *, only: Mapping[str, Iterable[str]] | None = None, cut: str = "auto", now: datetime
) -> FeedPreview:
    """What adding a feed that was found would do."""
    filtered = {name: list(values) for name, values in (only or {}).items()}
    feed = probe.check_entries(found, mode=cut, only=filtered, most=COUNTED)
    topics = matching_topics([_document(entry, piece, feed) for entry in feed.entries for piece in entry.pieces])
    following = iter(topics)
    entries = [EntryMatches(entry, tuple(next(following) for _ in entry.pieces)) for entry in feed.entries]
    choices = tuple(_choice(announce, entries, now) for announce in ("none", "latest", "all"))
    return FeedPreview(found, feed, tuple(entries[: probe.NEWEST]), choices)


def add_previewed(
    preview: FeedPreview, wanted: NewFeed, *, seen_at: datetime, now: datetime, actor: Actor
) -> AddedFeed | Refused:
    """Add a feed of which a preview was shown, first at `seen_at`: what it publishes from then on is news."""
    return new_feed.wrong_choice(wanted) or new_feed.add_found(
        preview.found, wanted, seen_at=seen_at, now=now, actor=actor
    )


def _choice(announce: str, entries: Collection[EntryMatches], now: datetime) -> AnnounceChoice:
    mailed = [each for each in entries if announce in each.entry.mailed_by and each.entry.through]
    matching = {topic.topic_id for each in mailed for topics in each.topics for topic in topics if not topic.held}
    return AnnounceChoice(
        announce,
        entries=len(mailed),
        items=sum(len(each.entry.pieces) for each in mailed),
        matching=sum(bool(topics) for each in mailed for topics in each.topics),
        people=people_count(followers(matching, now=now), threshold=wiring.config().small_number),
    )


def _document(entry: CheckedEntry, piece: Piece, feed: CheckedFeed) -> Document:
    return Document(
        title=piece.title,
        text=piece.text,
        lang=entry.lang or feed.language,
        sources=tuple(source.publisher for source in piece.cited if source.publisher),
        authors=tuple(filter(None, (entry.author,))),
        categories=entry.categories,
        feed=feed.title,
    )
