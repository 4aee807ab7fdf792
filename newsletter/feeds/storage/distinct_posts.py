"""Decide whether entries that share a guid and a link are several posts, or one in several wordings.

They are several when their titles differ and their texts have next to nothing in common.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from newsletter.feeds.cutting.headlines import comparison_key
from newsletter.feeds.storage.edit_tokens import fold_typography

#: Two texts have next to nothing in common when they share less than this of the shorter one's runs of so many characters.
SHARED, RUN = 0.3, 8
#: Characters of a text that are compared.
COMPARED = 3_000

#: A title and a text.
Post = tuple[str, str]


def first_wordings(posts: Sequence[Post]) -> list[int]:
    """Return for each post the index of the first one that it is another wording of: its own if there is none before it.

    Takes time that grows with the length of all texts together, whatever they have in common.
    """
    by_title: dict[str, int] = {}
    by_run: dict[str, set[int]] = defaultdict(set)
    sizes: dict[int, int] = {}
    firsts = list[int]()
    for index, (title, text) in enumerate(posts):
        key = comparison_key(title)
        runs = _runs(text) or _runs(title)
        first = by_title[key] if key in by_title else _most_similar(runs, by_run, sizes)
        firsts.append(index if first is None else first)
        if first is None:
            if key:
                by_title[key] = index
            sizes[index] = len(runs)
            for run in runs:
                by_run[run].add(index)
    return firsts


def _most_similar(runs: frozenset[str], by_run: dict[str, set[int]], sizes: dict[int, int]) -> int | None:
    """Return the index of the post that has most in common with `runs`; None if that is not enough."""
    common = Counter(index for run in runs for index in by_run.get(run, ()))
    shares = {index: count / max(1, min(len(runs), sizes[index])) for index, count in common.items()}
    best = max(shares, key=lambda index: (shares[index], -index), default=None)
    return best if best is not None and shares[best] >= SHARED else None


def _runs(text: str) -> frozenset[str]:
    plain = "".join(fold_typography(text[:COMPARED]).split())
    starts = range(max(1, len(plain) - RUN + 1))
    return frozenset(plain[start : start + RUN] for start in starts) if plain else frozenset()
