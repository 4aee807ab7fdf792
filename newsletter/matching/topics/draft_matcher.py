"""Match drafts of topics against items, and describe the matched words: for previews, re-matches and explanations."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from newsletter.matching.aliases.groups import alias_table, term_to_spelling
from newsletter.matching.engine.document import Document, Hit
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.topics.revisions import TopicDraft


class DraftMatcher:
    """Drafts that are compiled once, for many items.

    Raises:
        QueryError: a draft cannot be read.
    """

    def __init__(self, drafts: Mapping[int, TopicDraft]) -> None:
        self._index = QueryIndex(
            {key: compile_query(parse(draft.query), alias_table(draft.groups)) for key, draft in drafts.items()}
        )

    def match(self, document: Document) -> dict[int, tuple[Hit, ...]]:
        """The keys of the drafts that match an item, with their hits."""
        return {match.topic_id: match.hits for match in self._index.matching_queries(document)}


def matched_words(document: Document, hits: Iterable[Hit]) -> tuple[str, ...]:
    """The matched words of title and text as they stand there, each once, and the term for which an alias stands."""
    quoted = {
        f"“{words}”" + (f" for {hit.term}" if hit.alias else ""): None
        for hit in hits
        if (words := shown_words(hit.field, hit.start, hit.end, document)) is not None
    }
    return tuple(quoted)


class _Titled(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...


def shown_words(field: str, start: int, end: int, shown: _Titled) -> str | None:
    """The words of a hit as they stand in the title or the text. Returns None if it is in another field."""
    if field not in ("title", "text"):
        return None
    return (shown.title if field == "title" else shown.text)[start:end]


def receipt(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """The hits in the form in which a match of a curated topic stores them."""
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
