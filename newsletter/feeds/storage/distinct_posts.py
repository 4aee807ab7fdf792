"""Are entries that share a guid and a link several posts, or one in several wordings?

They are several when their titles are not the same and their texts have next to nothing in common.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from newsletter.feeds.cutting.headlines import comparison_key
from newsletter.feeds.storage.edit_tokens import folded

#: Two texts have next to nothing in common when they share less than this of the shorter one's runs of so many characters.
SHARED, RUN = 0.3, 8
#: Characters of a text that are compared.
LOOKED_AT = 3_000

#: A title and a text.
Wording = tuple[str, str]


def versions(posts: Sequence[Wording]) -> list[int]:
    """For each post the place of the first one that it is another wording of: its own when there is none before it.

    Takes time that grows with the length of all texts together, whatever they have in common.
    """
    by_title: dict[str, int] = {}
    by_run: dict[str, set[int]] = defaultdict(set)
    sizes: dict[int, int] = {}
    out = list[int]()
    for place, (title, text) in enumerate(posts):
        key = comparison_key(title)
        runs = _runs(text) or _runs(title)
        first = by_title[key] if key in by_title else _alike(runs, by_run, sizes)
        out.append(place if first is None else first)
        if first is None:
            if key:
                by_title[key] = place
            sizes[place] = len(runs)
            for run in runs:
                by_run[run].add(place)
    return out


def _alike(runs: frozenset[str], by_run: dict[str, set[int]], sizes: dict[int, int]) -> int | None:
    """The post that has most in common with `runs`, if it is enough."""
    common = Counter(place for run in runs for place in by_run.get(run, ()))
    shares = {place: count / max(1, min(len(runs), sizes[place])) for place, count in common.items()}
    best = max(shares, key=lambda place: (shares[place], -place), default=None)
    return best if best is not None and shares[best] >= SHARED else None


def _runs(text: str) -> frozenset[str]:
    plain = "".join(folded(text[:LOOKED_AT]).split())
    return frozenset(plain[at : at + RUN] for at in range(max(1, len(plain) - RUN + 1))) if plain else frozenset()
