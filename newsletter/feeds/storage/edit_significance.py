"""What an edit did: nothing that matters (typography, a slip of the pen), or a change of meaning, and which."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from newsletter.feeds.citations.canonical_url import canonical
from newsletter.feeds.citations.source_line import CitedSource
from newsletter.feeds.storage.edit_tokens import Token, common_words, folded, is_in_capitals, tokens

#: Words of the paragraphs that differ, on either side, up to which each is compared; more is another text anyway.
COMPARED = 3_000
#: Differences that a reason names.
NAMED = 3
_KINDS = {"word": "wording", "small": "wording", "capital": "name"}


class Wording(Protocol):
    """What an item says: its headline, its text without the source line, and its sources."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def cited(self) -> tuple[CitedSource, ...]: ...


@dataclass(frozen=True)
class Silent:
    """The edit changed nothing that matters; `reason` says what it did."""

    reason: str


@dataclass(frozen=True)
class Material:
    """The edit changed what is said; `kinds` are of name, number, quotation, negation, source and wording."""

    reason: str
    kinds: tuple[str, ...]


def meaning_hash(title: str, text: str, cited: Iterable[CitedSource]) -> bytes:
    """Equal for two versions that differ in typography and white space only."""
    sources = [f"{one.publisher}|{one.published_on or ''}|{one.canonical}" for one in cited]
    words = "\0".join("".join(folded(part).split()) for part in (title, text, *sources))
    return hashlib.sha256(words.encode()).digest()


def same_markup(html: str, other: str) -> bool:
    """True when two HTMLs differ in nothing but what trackers add to links."""
    return html == other or _untracked(html) == _untracked(other)


def judge(before: Wording, after: Wording) -> Silent | Material:
    """What the edit from one wording to the other did.

    Silent are typography, white space, the case of letters, articles, hyphens, another order of paragraphs, one slip of the
    pen in a word of four letters or more that is no name, and what completes a source. All else is material. Words are names
    when they have a capital that no beginning of a sentence explains; in scripts without capitals every word may be one.
    """
    found = _Found()
    _compare_sources(before.cited, after.cited, found)
    common = common_words((before.title, before.text, after.title, after.text))
    capitals = not (is_in_capitals(before.title) or is_in_capitals(after.title))
    _compare([before.title], [after.title], common, found, capitals=capitals)
    old, new = _paragraphs(before.text), _paragraphs(after.text)
    gone, come = _without(old, new), _without(new, old)
    if not gone and not come and [folded(one) for one in old] != [folded(one) for one in new]:
        found.silent.append("paragraphs in another order")
    _compare(gone, come, common, found)
    return found.verdict()


class _Found:
    """Differences as they are found."""

    def __init__(self) -> None:
        self.silent: list[str] = []
        self._material: list[tuple[str, str]] = []

    def material(self, kind: str, what: str) -> None:
        self._material.append((kind, what))

    def verdict(self) -> Silent | Material:
        if not self._material:
            return Silent("; ".join(dict.fromkeys(self.silent[:NAMED])) or "typography")
        named = list(dict.fromkeys(f"{kind}: {what}" for kind, what in self._material))
        more = f"; and {len(named) - NAMED} more" if len(named) > NAMED else ""
        return Material("; ".join(named[:NAMED]) + more, tuple(dict.fromkeys(kind for kind, _ in self._material)))


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def _without(some: Sequence[str], others: Sequence[str]) -> list[str]:
    """The paragraphs of `some` that are not among `others`, as often as they are more."""
    left = Counter("".join(folded(one).split()) for one in others)
    out = []
    for one in some:
        key = "".join(folded(one).split())
        if left[key]:
            left[key] -= 1
        else:
            out.append(one)
    return out


def _compare_sources(before: Sequence[CitedSource], after: Sequence[CitedSource], found: _Found) -> None:
    gone = [one for one in before if not any(_completes(one, other) for other in after)]
    come = [one for one in after if not any(_completes(other, one) for other in before)]
    for one in gone:
        found.material("source", f"{one.publisher or one.url or one.published_on} is gone")
    for one in come:
        found.material("source", f"{one.publisher or one.url or one.published_on} is new")
    if not gone and not come and [_cited_key(one) for one in before] != [_cited_key(one) for one in after]:
        found.silent.append("a source completed")


def _completes(before: CitedSource, after: CitedSource) -> bool:
    """True when `after` is the same source, or the same with a date or URL that was missing."""
    old, new = _cited_key(before), _cited_key(after)
    return old[0] == new[0] and all(was in ("", now) for was, now in zip(old, new, strict=True))


def _cited_key(one: CitedSource) -> tuple[str, str, str]:
    return "".join(folded(one.publisher).split()), str(one.published_on or ""), one.canonical


def _compare(
    before: Sequence[str], after: Sequence[str], common: frozenset[str], found: _Found, *, capitals: bool = True
) -> None:
    old = [token for part in before for token in tokens(part, common, capitals=capitals)]
    new = [token for part in after for token in tokens(part, common, capitals=capitals)]
    if max(len(old), len(new)) > COMPARED:
        found.material("wording", "too much of it is different to say what")
        return
    matcher = SequenceMatcher(None, [one.key for one in old], [one.key for one in new], autojunk=False)
    for operation, begin, end, new_begin, new_end in matcher.get_opcodes():
        if operation == "equal":
            _compare_quoted(old[begin:end], new[new_begin:new_end], found)
        else:
            _compare_words(old[begin:end], new[new_begin:new_end], found)


def _compare_quoted(old: Sequence[Token], new: Sequence[Token], found: _Found) -> None:
    moved = [now.shown for was, now in zip(old, new, strict=True) if was.quoted != now.quoted]
    if moved:
        found.material("quotation", " ".join(moved[:NAMED]))


def _compare_words(old: Sequence[Token], new: Sequence[Token], found: _Found) -> None:
    if "".join(one.key for one in old) == "".join(one.key for one in new):
        found.silent.append("a hyphen or space")
        return
    was, now = ([one for one in side if one.kind != "small"] for side in (old, new))
    if not was and not now:
        found.silent.append("an article")
        return
    if len(was) == len(now):
        pairs = [(one, other) for one, other in zip(was, now, strict=True) if one.key != other.key]
        if all(_is_slip(one, other) for one, other in pairs):
            found.silent += [f"spelling: {one.shown} → {other.shown}" for one, other in pairs]
            return
    quoted = any(one.quoted for one in (*was, *now))
    kinds = {_KINDS.get(one.kind, one.kind) for one in (*was, *now)}
    kinds = kinds - {"wording"} or kinds
    shown = (" ".join(one.shown for one in side[:NAMED]) or "nothing" for side in (old, new))
    what = " → ".join(shown)
    for kind in sorted(kinds):
        found.material(kind, what)
    if quoted:
        found.material("quotation", what)


def _is_slip(one: Token, other: Token) -> bool:
    """One letter more, less, changed or exchanged with its neighbour, in an ordinary word; never the first letter."""
    kinds = {one.kind, other.kind}
    if "word" not in kinds or not kinds <= {"word", "capital"} or one.quoted or other.quoted:
        return False
    short, long = sorted((one.key, other.key), key=len)
    if len(long) < 4 or len(long) - len(short) > 1 or short[0] != long[0]:
        return False
    at = next((at for at in range(len(short)) if short[at] != long[at]), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at + 1 : at + 2] + short[at : at + 1] + short[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped == long[at:]


def _untracked(html: str) -> str:
    return re.sub(r'href="([^"]*)"', lambda hit: f'href="{canonical(hit[1].replace("&amp;", "&"))}"', html)
