"""Which entry is which: by guid, else by link, else by title and date; also where guids are shared, or change.

Decision 11 tells why.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.feeds.headlines import compared
from newsletter.feeds.originals import original, url_hash
from newsletter.feeds.parsed import ParsedEntry

#: A PostgreSQL index takes no value much longer than 2,700 bytes.
LONGEST = 1000


@dataclass(frozen=True)
class Identified:
    """An entry and what it is known by: `kind` is guid, link, guid+link (the guid is shared), or hash."""

    entry: ParsedEntry
    guid: str
    kind: str
    #: What it was known by while it was the only one with its guid or link.
    earlier: str = ""

    @property
    def link_hash(self) -> bytes | None:
        """Of its canonical link; None without one of its own (a home page is nobody's own)."""
        plain = original(self.entry.url)
        return url_hash(plain) if plain else None


@dataclass(frozen=True)
class Known:
    """A stored entry, as far as telling entries apart needs it."""

    id: int
    guid: str
    kind: str
    url: str
    title: str
    raw_hash: bytes
    published_at: datetime
    link_hash: bytes | None = None
    left_out: bool = False


def shared_words(stored: Iterable[tuple[str, str, str]]) -> frozenset[str]:
    """The guids and links that several entries have, from (guid, kind, url) of stored entries of kind guid+link and hash."""
    return frozenset(guid.rpartition(" ")[0] if kind == "guid+link" else url for guid, kind, url in stored) - {""}


def identify(entries: Sequence[ParsedEntry], shared: frozenset[str]) -> tuple[Identified, ...]:
    """Each entry of one poll with its identity; of several with the same identity the first, which is the newest, counts.

    `shared` are guids and links that are known to be of several entries from earlier polls.
    """
    links: dict[str, set[str]] = defaultdict(set)
    titles: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        links[entry.guid].add(entry.url)
        if not entry.guid:
            titles[entry.url].add(entry.title)
    out: dict[str, Identified] = {}
    for entry in entries:
        if entry.guid:
            many = entry.guid in shared or len(links[entry.guid]) > 1
        else:
            many = entry.url in shared or len(titles[entry.url]) > 1
        one = _identified(entry, many=many)
        out.setdefault(one.guid, one)
    return tuple(out.values())


def _identified(entry: ParsedEntry, *, many: bool) -> Identified:
    if entry.guid and many and entry.url:
        return Identified(entry, f"{entry.guid} {_digest(entry.url)}", "guid+link", entry.guid)
    if entry.guid:
        return Identified(entry, entry.guid, "guid")
    link = entry.url if len(entry.url.encode()) <= LONGEST else _digest(entry.url)
    if entry.url and not many:
        return Identified(entry, link, "link")
    when = entry.published_at.isoformat() if entry.published_at else entry.html
    return Identified(entry, _digest(entry.title, when), "hash", link)


def recognised(one: Identified, stored: Mapping[str, Known]) -> Known | None:
    """The stored entry that `one` is, from those with its `guid` or `earlier` identity; None: it is new."""
    exact = stored.get(one.guid)
    if exact is not None or not one.earlier:
        return exact
    before = stored.get(one.earlier)
    if before is None:
        return None
    same = before.url == one.entry.url if one.kind == "guid+link" else before.title == one.entry.title
    return before if same else None


def adopted(
    strangers: Sequence[Identified], candidates: Sequence[Known], alike: Callable[[Identified, Known], bool]
) -> dict[str, Known]:
    """Stored entries that come back under another guid, by that guid.

    `strangers` are the entries of one poll whose guids are not known, `candidates` stored entries with a link or a date of
    theirs whose own guids are not in the poll. The same link or date under the same title is the same entry; so is the same
    link with a text that is `alike`. A link that several entries have says nothing.
    """
    out: dict[str, Known] = {}
    taken: set[int] = set()
    links = _lone(one.link_hash for one in strangers) & _lone(one.link_hash for one in candidates)
    for one in strangers:
        for known in candidates:
            if known.id not in taken and _is_same(one, known, links, alike):
                out[one.guid] = known
                taken.add(known.id)
                break
    return out


def _is_same(one: Identified, known: Known, links: set[bytes], alike: Callable[[Identified, Known], bool]) -> bool:
    link = known.link_hash in links and known.link_hash == one.link_hash
    if compared(known.title) == compared(one.entry.title):
        return link or known.published_at == one.entry.published_at
    return link and alike(one, known)


def _lone(hashes: Iterable[bytes | None]) -> set[bytes]:
    counts = Counter(one for one in hashes if one is not None)
    return {one for one, count in counts.items() if count == 1}


def _digest(*words: str) -> str:
    return "sha256:" + hashlib.sha256("\0".join(words).encode()).hexdigest()
