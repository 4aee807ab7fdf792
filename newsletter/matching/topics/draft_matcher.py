"""Drafts of topics against items: what previews, re-matches and explanations share."""

from collections.abc import Iterable, Mapping
from typing import Any

from newsletter.matching.aliases.groups import alias_table, term_to_spelling
from newsletter.matching.engine.document import Document, Hit
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.topics.revisions import TopicDraft


class DraftMatcher:
    """Drafts compiled once, for many items.

    Raises:
        QueryError: a draft cannot be read.
    """

    def __init__(self, drafts: Mapping[int, TopicDraft]) -> None:
        self._index = QueryIndex(
            {key: compile_query(parse(draft.query), alias_table(draft.groups)) for key, draft in drafts.items()}
        )

    def match(self, seen: Document) -> dict[int, tuple[Hit, ...]]:
        """The drafts that an item meets, by their key, and where their words stand."""
        return {met.topic_id: met.hits for met in self._index.matching_queries(seen)}


def matched_words(seen: Document, hits: Iterable[Hit]) -> tuple[str, ...]:
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
            "alias": term_to_spelling(hit.alias) if hit.alias else None,
            "pack": hit.pack,
        }
        for hit in hits
    ]
