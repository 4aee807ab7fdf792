"""Which stored item is which piece of an entry after an edit, and is the text of a piece really new?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from newsletter.feeds.cutting.headlines import comparison_key
from newsletter.feeds.storage.edit_tokens import folded

#: Two texts are one article in two wordings from this similarity on; a text is known when so much of it was there before.
ALIKE, CONTAINED = 0.6, 0.85
#: Characters of a text that are compared.
LOOKED_AT = 20_000
#: Pairs of texts that are compared, and stored texts in which a new one is looked for: an entry that replaces all its articles
#: with every poll would have them compared with all that it ever held.
MOST_PAIRS, MOST_KNOWN = 20_000, 400


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


def pair(old: Sequence[Worded], new: Sequence[Worded]) -> tuple[Pair, ...]:
    """Which stored item each new piece is: by key, then by headline, then by nearest text. No item has two partners.

    Keys are unique on either side, and order makes no difference, but that of more texts than can be compared the last of `old`
    are.
    """
    by_key = {bytes(one.key): index for index, one in enumerate(old)}
    partner = {index: by_key[bytes(one.key)] for index, one in enumerate(new) if bytes(one.key) in by_key}
    taken = set(partner.values())
    rest_old = [index for index in range(len(old)) if index not in taken]
    rest_new = [index for index in range(len(new)) if index not in partner]
    rest_old = rest_old[-(MOST_PAIRS // max(1, len(rest_new))) :]
    for index, other in _nearest_first(old, new, rest_old, rest_new):
        if index not in partner and other not in taken:
            partner[index] = other
            taken.add(other)
    return tuple(Pair(index, partner.get(index)) for index in range(len(new)))


def known_shape(before: Sequence[str]) -> Counter[str]:
    """What `is_known` needs of the texts of `before`, of which the last count where they are very many."""
    known: Counter[str] = Counter()
    for one in before[-MOST_KNOWN:]:
        known |= _shape(one)
    return known


def is_known(text: str, known: Counter[str]) -> bool:
    """True when nearly all of `text` stood in the texts behind `known`: it was only cut differently."""
    shape = _shape(text)
    total = sum(shape.values())
    return total == 0 or sum((shape & known).values()) >= CONTAINED * total


def _nearest_first(
    old: Sequence[Worded], new: Sequence[Worded], rest_old: Sequence[int], rest_new: Sequence[int]
) -> list[tuple[int, int]]:
    """(new, old) of all that may be partners: same headline first, then by likeness of text."""
    if not rest_old or not rest_new:
        return []
    shapes = {index: _shape(old[index].text) for index in rest_old}
    names = {index: comparison_key(old[index].title) for index in rest_old}
    scores = []
    for index in rest_new:
        shape, name = _shape(new[index].text), comparison_key(new[index].title)
        for other in rest_old:
            likeness, same = _likeness(shape, shapes[other]), name == names[other]
            if same or likeness >= ALIKE:
                scores.append((same, likeness, bytes(new[index].key), bytes(old[other].key), index, other))
    return [(index, other) for *_, index, other in sorted(scores, reverse=True)]


def _shape(text: str) -> Counter[str]:
    """How often each run of four characters occurs: works in scripts without spaces, and in linear time."""
    plain = "".join(folded(text[:LOOKED_AT]).split())
    return Counter(plain[at : at + 4] for at in range(max(1, len(plain) - 3))) if plain else Counter()


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    total = sum(one.values()) + sum(other.values())
    return 2 * sum((one & other).values()) / total if total else 1.0
