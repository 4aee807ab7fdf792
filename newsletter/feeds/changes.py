"""What an edit did: has the meaning changed, which item is which after it, and is its text really new?"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from newsletter.feeds.headlines import compared
from newsletter.feeds.sourceline import Cited

#: Two texts are one article in two wordings from this similarity on; a text is known when so much of it was there before.
ALIKE, CONTAINED = 0.6, 0.85
#: Characters of a text that are compared.
LOOKED_AT = 20_000
_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″〝〞", '"'),
        **dict.fromkeys("‘’‚‛′`´ʻʼ", "'"),
        **dict.fromkeys("‐‑‒–—―−﹘", "-"),
    }
)


class Worded(Protocol):
    """An item's key and wording, stored or newly cut."""

    @property
    def key(self) -> bytes: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Pair:
    """The `new`-th piece is the `old`-th stored item; `old` None: it has no partner."""

    new: int
    old: int | None


def meaning_hash(title: str, text: str, cited: Iterable[Cited]) -> bytes:
    """Equal for two versions that differ in typography and white space only."""
    sources = [f"{one.publisher}|{one.published_on or ''}|{one.canonical}" for one in cited]
    words = "\0".join(_plain(part) for part in (title, text, *sources))
    return hashlib.sha256(words.encode()).digest()


def pair(old: Sequence[Worded], new: Sequence[Worded]) -> tuple[Pair, ...]:
    """Which stored item each new piece is: by key, then by headline, then by nearest text."""
    by_key = {bytes(one.key): index for index, one in enumerate(old)}
    partner = {index: by_key[bytes(one.key)] for index, one in enumerate(new) if bytes(one.key) in by_key}
    rest_old = [index for index in range(len(old)) if index not in set(partner.values())]
    rest_new = [index for index in range(len(new)) if index not in partner]
    scores = []
    if rest_old and rest_new:
        shapes = {index: _shape(old[index].text) for index in rest_old}
        for index in rest_new:
            shape = _shape(new[index].text)
            for other in rest_old:
                same = compared(new[index].title) == compared(old[other].title)
                score = 1.0 if same else _likeness(shape, shapes[other])
                scores.append((score, -index, -other))
    for score, index, other in sorted(scores, reverse=True):
        if score >= ALIKE and -index not in partner and -other not in partner.values():
            partner[-index] = -other
    return tuple(Pair(index, partner.get(index)) for index in range(len(new)))


def is_known(text: str, before: Iterable[str]) -> bool:
    """True when nearly all of `text` stood in the texts of `before`: it was only cut differently."""
    shape = _shape(text)
    known: Counter[str] = Counter()
    for one in before:
        known |= _shape(one)
    total = sum(shape.values())
    return total == 0 or sum((shape & known).values()) >= CONTAINED * total


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY)).translate(_TYPOGRAPHY).split())


def _shape(text: str) -> Counter[str]:
    """How often each run of four characters occurs: works in scripts without spaces, and in linear time."""
    plain = _plain(text[:LOOKED_AT]).casefold()
    return Counter(plain[at : at + 4] for at in range(max(1, len(plain) - 3))) if plain else Counter()


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    total = sum(one.values()) + sum(other.values())
    return 2 * sum((one & other).values()) / total if total else 1.0
