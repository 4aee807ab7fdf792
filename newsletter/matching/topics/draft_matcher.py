"""Drafts of topics against items: what previews, re-matches and explanations share."""

from collections.abc import Iterable, Mapping
from typing import Any

from newsletter.matching.aliases.groups import spelling_of, table
from newsletter.matching.engine.document import Hit, Readable
from newsletter.matching.engine.query_index import Index
from newsletter.matching.query.compiled import compiled
from newsletter.matching.query.language import parse
from newsletter.matching.topics.revisions import Draft


class Judge:
    """Drafts compiled once, for many items.

    Raises:
        QueryError: a draft cannot be read.
    """

    def __init__(self, drafts: Mapping[int, Draft]) -> None:
        self._index = Index({key: compiled(parse(draft.query), table(draft.groups)) for key, draft in drafts.items()})

    def meet(self, seen: Readable) -> dict[int, tuple[Hit, ...]]:
        """The drafts that an item meets, by their key, and where their words stand."""
        return {met.topic_id: met.hits for met in self._index.meet(seen)}


def words_of(seen: Readable, hits: Iterable[Hit]) -> tuple[str, ...]:
    """The words as they stand in title and text, each once, with whose other spelling they are."""
    shown = {"title": seen.title, "text": seen.text}
    found = {
        f"“{shown[hit.field][hit.start : hit.end]}”" + (f" for {hit.term}" if hit.alias else ""): None
        for hit in hits
        if hit.field in shown
    }
    return tuple(found)


def receipt(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """What a match of a curated topic keeps of its reasons."""
    return [
        {
            "field": hit.field,
            "start": hit.start,
            "end": hit.end,
            "term": hit.term,
            "alias": spelling_of(hit.alias) if hit.alias else None,
            "pack": hit.pack,
        }
        for hit in hits
    ]
