"""Classify an edit: insignificant (typography, a typing error), or a change of meaning, and which."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from newsletter.feeds.citations.canonical_url import canonical
from newsletter.feeds.citations.source_line import CitedSource
from newsletter.feeds.storage.edit_tokens import EditToken, common_words, fold_typography, is_in_capitals, tokens

#: Words of the paragraphs that differ, on either side, up to which each is compared; more is another text anyway.
COMPARED = 3_000
#: Differences that a reason names.
NAMED = 3
_KINDS = {"word": "wording", "small": "wording", "capital": "name"}


class Wording(Protocol):
    """The content of an item: its headline, its text without the source line, and its sources."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def cited(self) -> tuple[CitedSource, ...]: ...


@dataclass(frozen=True)
class Insignificant:
    """The edit changed no meaning; `reason` says what it changed."""

    reason: str


@dataclass(frozen=True)
class Significant:
    """The edit changed the meaning; `kinds` are of name, number, quotation, negation, source and wording."""

    reason: str
    kinds: tuple[str, ...]


def meaning_hash(title: str, text: str, cited: Iterable[CitedSource]) -> bytes:
    """Hash an item, equally for versions that differ in typography and white space only."""
    sources = [f"{source.publisher}|{source.published_on or ''}|{source.canonical}" for source in cited]
    words = "\0".join("".join(fold_typography(part).split()) for part in (title, text, *sources))
    return hashlib.sha256(words.encode()).digest()


def same_markup(html: str, other: str) -> bool:
    """Return True if two HTMLs differ in nothing but what trackers add to links."""
    return html == other or _untracked(html) == _untracked(other)


def classify_edit(before: Wording, after: Wording) -> Insignificant | Significant:
    """Classify the edit from one wording to the other.

    Insignificant are typography, white space, the case of letters, articles, hyphens, another order of paragraphs, one typing
    error in a word of four letters or more that is no name, and what completes a source. All else is significant. Words are
    names if they have a capital that no beginning of a sentence explains; in scripts without capitals every word may be one.
    """
    differences = _Differences()
    _compare_sources(before.cited, after.cited, differences)
    common = common_words((before.title, before.text, after.title, after.text))
    capitals = not (is_in_capitals(before.title) or is_in_capitals(after.title))
    _compare([before.title], [after.title], common, differences, capitals=capitals)
    old, new = _paragraphs(before.text), _paragraphs(after.text)
    gone, come = _without(old, new), _without(new, old)
    if not gone and not come and list(map(fold_typography, old)) != list(map(fold_typography, new)):
        differences.insignificant.append("paragraphs in another order")
    _compare(gone, come, common, differences)
    return differences.classify()


class _Differences:
    """Collects what differs between two wordings."""

    def __init__(self) -> None:
        self.insignificant: list[str] = []
        self._significant: list[tuple[str, str]] = []

    def add(self, kind: str, what: str) -> None:
        self._significant.append((kind, what))

    def classify(self) -> Insignificant | Significant:
        if not self._significant:
            return Insignificant("; ".join(dict.fromkeys(self.insignificant[:NAMED])) or "typography")
        named = list(dict.fromkeys(f"{kind}: {what}" for kind, what in self._significant))
        more = f"; and {len(named) - NAMED} more" if len(named) > NAMED else ""
        return Significant("; ".join(named[:NAMED]) + more, tuple(dict.fromkeys(kind for kind, _ in self._significant)))


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def _without(paragraphs: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return the paragraphs that are not among `others`; one that stands there once is taken away once."""
    unmatched = Counter("".join(fold_typography(other).split()) for other in others)
    rest = []
    for paragraph in paragraphs:
        key = "".join(fold_typography(paragraph).split())
        if unmatched[key]:
            unmatched[key] -= 1
        else:
            rest.append(paragraph)
    return rest


def _compare_sources(before: Sequence[CitedSource], after: Sequence[CitedSource], differences: _Differences) -> None:
    gone = [source for source in before if not any(_completes(source, other) for other in after)]
    come = [source for source in after if not any(_completes(other, source) for other in before)]
    for source in gone:
        differences.add("source", f"{source.publisher or source.url or source.published_on} is gone")
    for source in come:
        differences.add("source", f"{source.publisher or source.url or source.published_on} is new")
    if not gone and not come and list(map(_cited_key, before)) != list(map(_cited_key, after)):
        differences.insignificant.append("a source completed")


def _completes(before: CitedSource, after: CitedSource) -> bool:
    """Return True if `after` is the same source, or the same with a date or URL that was missing."""
    old, new = _cited_key(before), _cited_key(after)
    return old[0] == new[0] and all(was in ("", now) for was, now in zip(old, new, strict=True))


def _cited_key(source: CitedSource) -> tuple[str, str, str]:
    return "".join(fold_typography(source.publisher).split()), str(source.published_on or ""), source.canonical


def _compare(
    before: Sequence[str],
    after: Sequence[str],
    common: frozenset[str],
    differences: _Differences,
    *,
    capitals: bool = True,
) -> None:
    old = [token for part in before for token in tokens(part, common, capitals=capitals)]
    new = [token for part in after for token in tokens(part, common, capitals=capitals)]
    if max(len(old), len(new)) > COMPARED:
        differences.add("wording", "too much of it is different to say what")
        return
    matcher = SequenceMatcher(None, [token.key for token in old], [token.key for token in new], autojunk=False)
    for operation, begin, end, new_begin, new_end in matcher.get_opcodes():
        if operation == "equal":
            _compare_quoted(old[begin:end], new[new_begin:new_end], differences)
        else:
            _compare_words(old[begin:end], new[new_begin:new_end], differences)


def _compare_quoted(old: Sequence[EditToken], new: Sequence[EditToken], differences: _Differences) -> None:
    moved = [now.shown for was, now in zip(old, new, strict=True) if was.quoted != now.quoted]
    if moved:
        differences.add("quotation", " ".join(moved[:NAMED]))


def _compare_words(old: Sequence[EditToken], new: Sequence[EditToken], differences: _Differences) -> None:
    if "".join(token.key for token in old) == "".join(token.key for token in new):
        differences.insignificant.append("a hyphen or space")
        return
    was, now = ([token for token in side if token.kind != "small"] for side in (old, new))
    if not was and not now:
        differences.insignificant.append("an article")
        return
    if len(was) == len(now):
        pairs = [(left, right) for left, right in zip(was, now, strict=True) if left.key != right.key]
        if all(is_typo(left, right) for left, right in pairs):
            differences.insignificant += [f"spelling: {left.shown} → {right.shown}" for left, right in pairs]
            return
    quoted = any(token.quoted for token in (*was, *now))
    kinds = {_KINDS.get(token.kind, token.kind) for token in (*was, *now)}
    kinds = kinds - {"wording"} or kinds
    shown = (" ".join(token.shown for token in side[:NAMED]) or "nothing" for side in (old, new))
    what = " → ".join(shown)
    for kind in sorted(kinds):
        differences.add(kind, what)
    if quoted:
        differences.add("quotation", what)


def is_typo(left: EditToken, right: EditToken) -> bool:
    """Return True for one letter more, less, changed or swapped with its neighbour in an ordinary word, not its first."""
    kinds = {left.kind, right.kind}
    if "word" not in kinds or not kinds <= {"word", "capital"} or left.quoted or right.quoted:
        return False
    short, long = sorted((left.key, right.key), key=len)
    if len(long) < 4 or len(long) - len(short) > 1 or short[0] != long[0]:
        return False
    first = next((index for index in range(len(short)) if short[index] != long[index]), len(short))
    if len(short) < len(long):
        return short[first:] == long[first + 1 :]
    swapped = short[first + 1 : first + 2] + short[first : first + 1] + short[first + 2 :]
    return short[first + 1 :] == long[first + 1 :] or swapped == long[first:]


def _untracked(html: str) -> str:
    return re.sub(r'href="([^"]*)"', lambda match: f'href="{canonical(match[1].replace("&amp;", "&"))}"', html)
