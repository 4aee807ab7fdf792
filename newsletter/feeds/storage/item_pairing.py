"""Pair the pieces of an edited entry with its stored items, and decide whether the text of a piece is new."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from newsletter.feeds.cutting.headlines import comparison_key
from newsletter.feeds.storage.edit_tokens import fold_typography

#: Two texts are one article in two wordings from this similarity on; a text is known if so much of it was there before.
SIMILAR, CONTAINED = 0.6, 0.85
#: Characters of a text that are compared.
COMPARED = 20_000
#: Pairs of texts that are compared, and stored texts that a new one is searched for in: an entry that replaces all its articles
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
    """The `new`-th piece is the `old`-th stored item; `old` is None if it is a new one."""

    new: int
    old: int | None


def pair(old: Sequence[Worded], new: Sequence[Worded]) -> tuple[Pair, ...]:
    """Pair each new piece with the stored item that it is: by key, then by headline, then by the most similar text.

    No item has two partners. Keys are unique on either side. Order makes no difference, unless there are more texts than can be
    compared: then the last of `old` are.
    """
    by_key = {bytes(item.key): index for index, item in enumerate(old)}
    partner = {index: by_key[bytes(piece.key)] for index, piece in enumerate(new) if bytes(piece.key) in by_key}
    taken = set(partner.values())
    rest_old = [index for index in range(len(old)) if index not in taken]
    rest_new = [index for index in range(len(new)) if index not in partner]
    rest_old = rest_old[-(MOST_PAIRS // max(1, len(rest_new))) :]
    for index, other in _most_similar_first(old, new, rest_old, rest_new):
        if index not in partner and other not in taken:
            partner[index] = other
            taken.add(other)
    return tuple(Pair(index, partner.get(index)) for index in range(len(new)))


def known_shape(before: Sequence[str]) -> Counter[str]:
    """Return what `is_known` needs of the texts of `before`; of very many, the last count."""
    known: Counter[str] = Counter()
    for text in before[-MOST_KNOWN:]:
        known |= _shape(text)
    return known


def is_known(text: str, known: Counter[str]) -> bool:
    """Return True if nearly all of `text` stood in the texts behind `known`: it was only cut differently."""
    shape = _shape(text)
    total = sum(shape.values())
    return total == 0 or sum((shape & known).values()) >= CONTAINED * total


def _most_similar_first(
    old: Sequence[Worded], new: Sequence[Worded], rest_old: Sequence[int], rest_new: Sequence[int]
) -> list[tuple[int, int]]:
    """Return (new, old) of all possible partners: those with the same headline first, then by similarity of text."""
    if not rest_old or not rest_new:
        return []
    shapes = {index: _shape(old[index].text) for index in rest_old}
    names = {index: comparison_key(old[index].title) for index in rest_old}
    scores = []
    for index in rest_new:
        shape, name = _shape(new[index].text), comparison_key(new[index].title)
        for other in rest_old:
            similarity, same = _similarity(shape, shapes[other]), name == names[other]
            if same or similarity >= SIMILAR:
                scores.append((same, similarity, bytes(new[index].key), bytes(old[other].key), index, other))
    return [(index, other) for *_, index, other in sorted(scores, reverse=True)]


def _shape(text: str) -> Counter[str]:
    """Count each run of four characters: works in scripts without spaces, and in linear time."""
    plain = "".join(fold_typography(text[:COMPARED]).split())
    return Counter(plain[start : start + 4] for start in range(max(1, len(plain) - 3))) if plain else Counter()


def _similarity(left: Counter[str], right: Counter[str]) -> float:
    total = sum(left.values()) + sum(right.values())
    return 2 * sum((left & right).values()) / total if total else 1.0
