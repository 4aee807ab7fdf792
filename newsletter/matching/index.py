"""All queries in one index: one pass over a text finds the terms of all of them, then only candidates are evaluated."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ahocorasick_rs

from newsletter.matching.query import Query, Term, meets, parse, positive, terms
from newsletter.matching.text import Word, words

#: Terms shorter than this have no plural: `a` does not meet `as`.
SHORTEST_PLURAL = 3


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Words of a query in an item: `start` and `end` count code points of the shown `field` (title or text)."""

    field: str
    start: int
    end: int
    term: str = dataclasses.field(repr=False)


@dataclass(frozen=True)
class Met:
    """A query that an item meets, and where its words stand."""

    topic_id: int
    hits: tuple[Hit, ...]


class Index:
    """The queries of all topics, compiled once for all who share them. Read-only, so threads may share it."""

    def __init__(self, queries: Mapping[int, Query]) -> None:
        self._queries = dict(queries)
        self._wanted: dict[Term, list[int]] = defaultdict(list)
        for topic_id, query in self._queries.items():
            for term in dict.fromkeys(positive(query)):
                self._wanted[term].append(topic_id)
        self._terms: list[list[Term]] = []
        self._automaton = ahocorasick_rs.AhoCorasick(self._needles())

    def _needles(self) -> list[str]:
        """Each written form once, with every term it stands for: `cables` is a word and the plural of another."""
        by_form: dict[str, list[Term]] = defaultdict(list)
        for query in self._queries.values():
            for term in terms(query):
                for written in _forms(term):
                    if term not in by_form[written]:
                        by_form[written].append(term)
        self._terms = list(by_form.values())
        return list(by_form)

    def meet(self, title: str, text: str) -> list[Met]:
        """Every query that an item with this title and text meets, by topic id."""
        places: dict[Term, list[Hit]] = defaultdict(list)
        for name, shown in (("title", title), ("text", text)):
            for term, start, end in self._scan(words(shown)):
                places[term].append(Hit(name, start, end, " ".join(term.keys)))
        found = set(places)
        candidates = {topic_id for term in found for topic_id in self._wanted.get(term, ())}
        return [
            Met(topic_id, _hits(self._queries[topic_id], places))
            for topic_id in sorted(candidates)
            if meets(self._queries[topic_id], found)
        ]

    def _scan(self, read: list[Word]) -> Iterable[tuple[Term, int, int]]:
        """(term, start, end) of every occurrence: whole words, because each needle begins and ends with a space."""
        haystack = " " + " ".join(word.key for word in read) + " "
        at: dict[int, int] = {}
        place = 0
        for number, word in enumerate(read):
            at[place] = number
            place += len(word.key) + 1
        for needle, start, _ in self._automaton.find_matches_as_indexes(haystack, overlapping=True):
            first = at[start]
            for term in self._terms[needle]:
                yield term, read[first].start, read[first + len(term.keys) - 1].end


def spans(query: str, title: str, text: str) -> tuple[Hit, ...]:
    """Where the words of one query stand in an item; empty when the item does not meet it.

    Raises:
        QueryError: the query cannot be used.
    """
    met = Index({0: parse(query)}).meet(title, text)
    return met[0].hits if met else ()


def _forms(term: Term) -> tuple[str, ...]:
    """A term as it may stand in a text: itself, and its last word with a plural s."""
    written = " ".join(term.keys)
    last = term.keys[-1]
    plural = len(last) >= SHORTEST_PLURAL and last.isalpha() and not last.endswith("s")
    return (f" {written} ", f" {written}s ") if plural else (f" {written} ",)


def _hits(query: Query, places: Mapping[Term, list[Hit]]) -> tuple[Hit, ...]:
    return tuple(sorted({hit for term in set(positive(query)) for hit in places.get(term, ())}, key=_order))


def _order(hit: Hit) -> tuple[bool, int, int]:
    return hit.field != "title", hit.start, -hit.end
