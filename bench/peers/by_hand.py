"""What all engines that only find strings have in common: words by `\\w+`, and queries evaluated over what was found."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

Query = tuple[Any, ...]
BLANK_LINE = "\n\n"
#: A word that no query has.
BREAK = "_"
_WORD = re.compile(r"\w+")


def normal(text: str) -> str:
    """The words of a text in small letters between single spaces; between paragraphs, which no phrase crosses, a sign."""
    return f" {' '.join(_WORD.findall(text.casefold().replace(BLANK_LINE, f' {BREAK} ')))} "


class Evaluated:
    """Queries by the strings they ask for; only those with one found are evaluated."""

    def __init__(self, queries: list[Query]) -> None:
        self.queries = queries
        numbers: dict[str, int] = {}
        self.wanted: dict[int, list[int]] = defaultdict(list)
        self.trees = [self._numbered(query, numbers) for query in queries]
        for number, query in enumerate(queries):
            for one in set(_positive(query)):
                self.wanted[numbers[one]].append(number)
        self.needles = list(numbers)

    def _numbered(self, query: Query, numbers: dict[str, int]) -> Any:
        if query[0] in ("word", "phrase"):
            return numbers.setdefault(_needle(query), len(numbers))
        return (query[0], *(self._numbered(part, numbers) for part in query[1:]))

    def met(self, found: set[int]) -> set[int]:
        """The numbers of the queries that are met if these needles were found."""
        candidates = {number for one in found for number in self.wanted.get(one, ())}
        return {number for number in candidates if _holds(self.trees[number], found)}


def matcher(
    queries: list[Query], make: Callable[[list[str]], Callable[[str], Iterable[int]]]
) -> Callable[[str], set[int]]:
    """A matcher of an engine that finds strings: `make` takes needles, and makes what finds their numbers in a haystack."""
    evaluated = Evaluated(queries)
    find = make(evaluated.needles)
    return lambda text: evaluated.met(set(find(normal(text))))


def _needle(query: Query) -> str:
    return f" {' '.join(query[1:])} "


def _positive(query: Query) -> Iterable[str]:
    if query[0] in ("word", "phrase"):
        yield _needle(query)
    elif query[0] != "not":
        for part in query[1:]:
            yield from _positive(part)


def _holds(tree: Any, found: set[int]) -> bool:
    if isinstance(tree, int):
        return tree in found
    kind, *parts = tree
    if kind == "not":
        return not _holds(parts[0], found)
    return (all if kind == "and" else any)(_holds(part, found) for part in parts)
