"""Which entry is which: by guid, else by link, else by title and date; also where guids are shared, or change.

Decision 11 tells why.
"""

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
from newsletter.feeds.storage.distinct_posts import versions

#: A PostgreSQL index takes no value much longer than 2,700 bytes.
LONGEST = 1000
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Identified:
    """An entry and what it is known by.

    `kind` is guid, link, guid+link (several have its guid), guid+title (several have its guid and its link), or hash.
    """

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
    """The guids and links that several entries have, from (guid, kind, url) of stored entries of the kinds that share them.

    A guid and a link that several have together stand as `_pair` writes them.
    """
    words = set[str]()
    for guid, kind, url in stored:
        own = guid.rpartition(" ")[0]
        words |= {"hash": {url}, "guid+link": {own}, "guid+title": {own, _pair(own, url)}}[kind]
    return frozenset(words - {""})


def identify(entries: Sequence[ParsedEntry], shared: frozenset[str]) -> tuple[Identified, ...]:
    """Each entry of one poll with its identity; of several with the same identity the first counts.

    `shared` are guids and links that are known to be of several entries from earlier polls (see `shared_words`).
    """
    links: dict[str, set[str]] = defaultdict(set)
    titles: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        links[entry.guid].add(entry.url)
        if not entry.guid:
            titles[entry.url].add(entry.title)
    several = _several(entries, shared)
    out: dict[str, Identified] = {}
    for place, entry in enumerate(entries):
        if entry.guid:
            many = entry.guid in shared or len(links[entry.guid]) > 1
        else:
            many = entry.url in shared or len(titles[entry.url]) > 1
        titled = _pair(entry.guid, entry.url) in several
        if titled and several[_pair(entry.guid, entry.url)].get(place, place) != place:
            continue  # another wording of one before it
        one = _titled(entry) if titled else _identified(entry, many=many)
        out.setdefault(one.guid, one)
    return tuple(out.values())


def _several(entries: Sequence[ParsedEntry], shared: frozenset[str]) -> dict[str, dict[int, int]]:
    """The pairs of guid and link that are of several posts: for each of their entries the place of the first wording of it."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        if entry.guid:
            places[_pair(entry.guid, entry.url)].append(place)
    out = dict[str, dict[int, int]]()
    for pair, members in places.items():
        if pair not in shared and len(members) == 1:
            continue
        first = versions([(entries[at].title, plain_text(entries[at].html)) for at in members])
        if pair in shared or len(set(first)) > 1:
            out[pair] = {at: members[index] for at, index in zip(members, first, strict=True)}
    return out


def plain_text(safe_html: str) -> str:
    """The words of safe HTML, for comparing."""
    return html.unescape(_TAG.sub(" ", safe_html))


def _pair(guid: str, url: str) -> str:
    return f"{guid}\n{url}" if guid else ""


def _titled(entry: ParsedEntry) -> Identified:
    when = entry.published_at.isoformat() if entry.published_at else entry.html
    word = _digest(entry.url, comparison_key(entry.title) or when)
    return Identified(entry, f"{entry.guid} {word}", "guid+title")


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


def reworded(
    strangers: Sequence[Identified], candidates: Sequence[Known], text_of: Callable[[Known], str]
) -> dict[str, Known]:
    """Stored entries that come back with another title, by their new guid, where only title and text tell entries apart.

    `candidates` are stored entries with a link of `strangers` that are not in the poll under their own guid.
    """
    groups: dict[tuple[str, str], list[Identified]] = defaultdict(list)
    for one in strangers:
        groups[one.entry.guid, one.entry.url].append(one)
    out: dict[str, Known] = {}
    for group in groups.values():
        rivals = [known for known in candidates if _shares(group[0], known)]
        old = [(known.title, text_of(known)) for known in rivals]
        first = versions([*old, *((one.entry.title, plain_text(one.entry.html)) for one in group)])
        taken: dict[int, Identified] = {}
        for one, place in zip(group, first[len(old) :], strict=True):
            if place < len(old):
                taken.setdefault(place, one)
        out |= {one.guid: rivals[place] for place, one in taken.items()}
    return out


def _shares(one: Identified, known: Known) -> bool:
    """Has the stored entry the guid and link of `one`, or where there is no guid its link?"""
    if known.url != one.entry.url:
        return False
    if one.kind == "guid+title":
        return known.guid == one.entry.guid or known.guid.rpartition(" ")[0] == one.entry.guid
    return one.kind == known.kind == "hash" and bool(known.url)


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
    if comparison_key(known.title) == comparison_key(one.entry.title):
        return link or known.published_at == one.entry.published_at
    return link and alike(one, known)


def _lone(hashes: Iterable[bytes | None]) -> set[bytes]:
    counts = Counter(one for one in hashes if one is not None)
    return {one for one, count in counts.items() if count == 1}


def _digest(*words: str) -> str:
    return "sha256:" + hashlib.sha256("\0".join(words).encode()).hexdigest()
