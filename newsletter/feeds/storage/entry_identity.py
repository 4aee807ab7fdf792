"""Identify entries by guid, else by link, else by title and date; also where guids are shared, or change (decision 11)."""

import hashlib
import html
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.feeds.citations.canonical_url import original, url_hash
from newsletter.feeds.cutting.headlines import comparison_key
from newsletter.feeds.parsing.model import ParsedEntry
from newsletter.feeds.storage.distinct_posts import first_wordings

#: A PostgreSQL index takes no value much longer than 2,700 bytes.
LONGEST = 1000
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class IdentifiedEntry:
    """An entry and its identity.

    `kind` is guid, link, guid+link (several have its guid), guid+title (several have its guid and its link), or hash.
    """

    entry: ParsedEntry
    guid: str
    kind: str
    #: The identity it had while it was the only one with its guid or link.
    earlier_guid: str = ""

    @property
    def published_at(self) -> datetime | None:
        """Its date, as the feed gives it."""
        return self.entry.published_at

    @property
    def link_hash(self) -> bytes | None:
        """The hash of its canonical link; None without one of its own (a home page belongs to no entry)."""
        plain = original(self.entry.url)
        return url_hash(plain) if plain else None


@dataclass(frozen=True)
class StoredEntry:
    """A stored entry, as far as identifying entries needs it."""

    id: int
    guid: str
    kind: str
    url: str
    title: str
    raw_hash: bytes
    published_at: datetime
    link_hash: bytes | None = None
    left_out: bool = False


def shared_identifiers(stored: Iterable[tuple[str, str, str]]) -> frozenset[str]:
    """Return the guids and links that several entries have, from (guid, kind, url) of stored entries that share them.

    A guid and a link that several have together are written as `_pair` does.
    """
    identifiers = set[str]()
    for guid, kind, url in stored:
        own = guid.rpartition(" ")[0]
        identifiers |= {"hash": {url}, "guid+link": {own}, "guid+title": {own, _pair(own, url)}}[kind]
    return frozenset(identifiers - {""})


def identify(entries: Sequence[ParsedEntry], shared: frozenset[str]) -> tuple[IdentifiedEntry, ...]:
    """Return the entries of one poll with their identities; of several with the same identity, the first.

    `shared` are guids and links that several entries had in earlier polls (see `shared_identifiers`).
    """
    links: dict[str, set[str]] = defaultdict(set)
    titles: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        links[entry.guid].add(entry.url)
        if not entry.guid:
            titles[entry.url].add(entry.title)
    several = _several(entries, shared)
    identified: dict[str, IdentifiedEntry] = {}
    for index, entry in enumerate(entries):
        if entry.guid:
            many = entry.guid in shared or len(links[entry.guid]) > 1
        else:
            many = entry.url in shared or len(titles[entry.url]) > 1
        by_title = several.get(_pair(entry.guid, entry.url))
        if by_title is not None and by_title.get(index, index) != index:
            continue  # another wording of an entry before it
        named = _by_title(entry) if by_title is not None else _by_guid_or_link(entry, many=many)
        identified.setdefault(named.guid, named)
    return tuple(identified.values())


def _several(entries: Sequence[ParsedEntry], shared: frozenset[str]) -> dict[str, dict[int, int]]:
    """Return the pairs of guid and link that several posts share.

    Each has the indexes of its entries, and for each of these the index of the first wording of the same post.
    """
    by_pair: dict[str, list[int]] = defaultdict(list)
    for index, entry in enumerate(entries):
        if entry.guid:
            by_pair[_pair(entry.guid, entry.url)].append(index)
    several = dict[str, dict[int, int]]()
    for pair, members in by_pair.items():
        if pair not in shared and len(members) == 1:
            continue
        firsts = first_wordings([(entries[index].title, plain_text(entries[index].html)) for index in members])
        if pair in shared or len(set(firsts)) > 1:
            several[pair] = {index: members[first] for index, first in zip(members, firsts, strict=True)}
    return several


def plain_text(safe_html: str) -> str:
    """Return the text of safe HTML, for comparing."""
    return html.unescape(_TAG.sub(" ", safe_html))


def _pair(guid: str, url: str) -> str:
    return f"{guid}\n{url}" if guid else ""


def _by_title(entry: ParsedEntry) -> IdentifiedEntry:
    when = entry.published_at.isoformat() if entry.published_at else entry.html
    digest = _digest(entry.url, comparison_key(entry.title) or when)
    return IdentifiedEntry(entry, f"{entry.guid} {digest}", "guid+title")


def _by_guid_or_link(entry: ParsedEntry, *, many: bool) -> IdentifiedEntry:
    if entry.guid and many and entry.url:
        return IdentifiedEntry(entry, f"{entry.guid} {_digest(entry.url)}", "guid+link", entry.guid)
    if entry.guid:
        return IdentifiedEntry(entry, entry.guid, "guid")
    link = entry.url if len(entry.url.encode()) <= LONGEST else _digest(entry.url)
    if entry.url and not many:
        return IdentifiedEntry(entry, link, "link")
    when = entry.published_at.isoformat() if entry.published_at else entry.html
    return IdentifiedEntry(entry, _digest(entry.title, when), "hash", link)


def find_stored(entry: IdentifiedEntry, stored: Mapping[str, StoredEntry]) -> StoredEntry | None:
    """Return the stored entry that `entry` is, from those with its `guid` or `earlier_guid`; None if it is new."""
    exact = stored.get(entry.guid)
    if exact is not None or not entry.earlier_guid:
        return exact
    earlier = stored.get(entry.earlier_guid)
    if earlier is None:
        return None
    same = earlier.url == entry.entry.url if entry.kind == "guid+link" else earlier.title == entry.entry.title
    return earlier if same else None


def find_retitled(
    unknown: Sequence[IdentifiedEntry], candidates: Sequence[StoredEntry], text_of: Callable[[StoredEntry], str]
) -> dict[str, StoredEntry]:
    """Return stored entries that come back with another title, by their new guid, where only title and text tell entries apart.

    `candidates` are stored entries with a link of `unknown` that are not in the poll under their own guid.
    """
    groups: dict[tuple[str, str], list[IdentifiedEntry]] = defaultdict(list)
    for entry in unknown:
        groups[entry.entry.guid, entry.entry.url].append(entry)
    retitled: dict[str, StoredEntry] = {}
    for group in groups.values():
        rivals = [stored for stored in candidates if _shares_link(group[0], stored)]
        old = [(stored.title, text_of(stored)) for stored in rivals]
        firsts = first_wordings([*old, *((entry.entry.title, plain_text(entry.entry.html)) for entry in group)])
        taken: dict[int, IdentifiedEntry] = {}
        for entry, first in zip(group, firsts[len(old) :], strict=True):
            if first < len(old):
                taken.setdefault(first, entry)
        retitled |= {entry.guid: rivals[first] for first, entry in taken.items()}
    return retitled


def _shares_link(entry: IdentifiedEntry, stored: StoredEntry) -> bool:
    """True if the stored entry has the guid and link of `entry`, or its link where there is no guid."""
    if stored.url != entry.entry.url:
        return False
    if entry.kind == "guid+title":
        return entry.entry.guid in (stored.guid, stored.guid.rpartition(" ")[0])
    return entry.kind == stored.kind == "hash" and bool(stored.url)


def find_renamed(
    unknown: Sequence[IdentifiedEntry],
    candidates: Sequence[StoredEntry],
    has_same_text: Callable[[IdentifiedEntry, StoredEntry], bool],
) -> dict[str, StoredEntry]:
    """Return stored entries that come back under another guid, by that guid.

    `unknown` are the entries of one poll whose guids are not stored, `candidates` stored entries with a link or a date of
    theirs whose own guids are not in the poll. The same link or date under the same title is the same entry; so is the same
    link with the same text. A link that several entries share decides nothing.
    """
    renamed: dict[str, StoredEntry] = {}
    taken: set[int] = set()
    links = _unique(entry.link_hash for entry in unknown) & _unique(stored.link_hash for stored in candidates)
    for entry in unknown:
        for stored in candidates:
            if stored.id not in taken and _is_same(entry, stored, links, has_same_text):
                renamed[entry.guid] = stored
                taken.add(stored.id)
                break
    return renamed


def _is_same(
    entry: IdentifiedEntry,
    stored: StoredEntry,
    links: set[bytes],
    has_same_text: Callable[[IdentifiedEntry, StoredEntry], bool],
) -> bool:
    same_link = stored.link_hash in links and stored.link_hash == entry.link_hash
    if comparison_key(stored.title) == comparison_key(entry.entry.title):
        return same_link or stored.published_at == entry.published_at
    return same_link and has_same_text(entry, stored)


def _unique(hashes: Iterable[bytes | None]) -> set[bytes]:
    counts = Counter(link_hash for link_hash in hashes if link_hash is not None)
    return {link_hash for link_hash, count in counts.items() if count == 1}


def _digest(*parts: str) -> str:
    return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()
