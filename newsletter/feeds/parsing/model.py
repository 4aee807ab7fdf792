"""A parsed feed, as plain values that are sent through a pipe as JSON."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: Entries of one fetch that are read.
ENTRY_CAP = 500


@dataclass(frozen=True)
class ParsedEntry:
    """One post. `html` is safe (see `sanitize`), its links still relative to `base`; empty strings where nothing is known.

    `guid` is what the feed gives, verbatim but for its length. `published_at` is None when missing or impossible.
    `fingerprint` is a short hash of its raw fields, but its date; `unchanged`: it was known, so `html` is left out.
    """

    guid: str
    url: str
    title: str
    html: str
    base: str
    author: str
    categories: tuple[str, ...]
    published_at: datetime | None
    lang: str
    fingerprint: str = field(default="", compare=False)
    unchanged: bool = False


@dataclass(frozen=True)
class ParsedFeed:
    """A feed that could be read, its entries in its order: mostly the newest first.

    `wait` is how many seconds it asks to be left alone (`ttl`, `sy:updatePeriod`), 0 when it does not say. `older` is the URL
    of the page with older entries that it names (RFC 5005), `generator` the program that made it; empty when it names none.
    """

    title: str
    language: str
    site_url: str
    entries: tuple[ParsedEntry, ...]
    wait: int = 0
    older: str = ""
    generator: str = ""
    #: Entries that are not among `entries`, for there are more than are read (`ENTRY_CAP`).
    left_out: int = 0


@dataclass(frozen=True)
class NotAFeed:
    """Something else, for example a web page; `feed_links` are the feeds that it names."""

    reason: str
    feed_links: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParseFailed:
    """It may be a feed, but it cannot be read. `reason` in words; `killed`: the child that parsed it had to be killed."""

    reason: str
    killed: bool = False


Parsed = ParsedFeed | NotAFeed | ParseFailed


def to_json(parsed: Parsed) -> dict[str, Any]:
    """`parsed` as JSON types."""
    out = {"kind": type(parsed).__name__, **vars(parsed)}
    if isinstance(parsed, ParsedFeed):
        out["entries"] = [_entry(entry) for entry in parsed.entries]
    return out


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
