"""A parsed feed, as plain values that are sent through a pipe as JSON."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: Entries of one fetch that are read.
ENTRY_CAP = 500


@dataclass(frozen=True)
class ParsedEntry:
    """One post. Strings are empty where nothing is known."""

    #: What the feed gives, verbatim but for its length.
    guid: str
    url: str
    title: str
    #: Safe (see `sanitize`), its links still relative to `base`.
    html: str
    base: str
    author: str
    categories: tuple[str, ...]
    #: None when missing or impossible.
    published_at: datetime | None
    lang: str
    #: A short hash of its raw fields, but its date.
    fingerprint: str = field(default="", compare=False)
    #: Its fingerprint was known, so `html` is left out.
    unchanged: bool = False


@dataclass(frozen=True)
class ParsedFeed:
    """A feed that could be parsed, its entries in its order: mostly the newest first."""

    title: str
    language: str
    site_url: str
    entries: tuple[ParsedEntry, ...]
    #: Seconds that it asks not to be fetched again (`ttl`, `sy:updatePeriod`); 0 if it does not ask.
    wait: int = 0
    #: The URL of its page with older entries (RFC 5005), empty without one.
    older: str = ""
    #: The program that made it, empty if it does not name any.
    generator: str = ""
    #: Entries beyond the newest `ENTRY_CAP`, which are not read.
    left_out: int = 0


@dataclass(frozen=True)
class NotAFeed:
    """Something else, for example a web page; `feed_links` are the feeds that it names."""

    reason: str
    feed_links: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParseFailed:
    """It may be a feed, but it cannot be parsed; `reason` in words."""

    reason: str
    #: The child that parsed it had to be killed.
    killed: bool = False


Parsed = ParsedFeed | NotAFeed | ParseFailed


def to_json(parsed: Parsed) -> dict[str, Any]:
    """`parsed` as JSON types."""
    data = {"kind": type(parsed).__name__, **vars(parsed)}
    if isinstance(parsed, ParsedFeed):
        data["entries"] = [_entry(entry) for entry in parsed.entries]
    return data


def _entry(entry: ParsedEntry) -> dict[str, Any]:
    return {**vars(entry), "published_at": entry.published_at and entry.published_at.isoformat()}


def from_json(data: dict[str, Any]) -> Parsed:
    """The opposite of `to_json`.

    Raises:
        KeyError, TypeError, ValueError: it is not what `to_json` gave.
    """
    kind = data.pop("kind")
    if kind == "NotAFeed":
        return NotAFeed(str(data["reason"]), tuple(map(str, data["feed_links"])))
    if kind == "ParseFailed":
        return ParseFailed(str(data["reason"]), bool(data["killed"]))
    entries = []
    for entry in data.pop("entries"):
        moment = entry["published_at"] and datetime.fromisoformat(entry["published_at"])
        entries.append(ParsedEntry(**{**entry, "categories": tuple(entry["categories"]), "published_at": moment}))
    return ParsedFeed(entries=tuple(entries), **data)
