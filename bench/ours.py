"""Our engine, as the peers are measured."""

from collections.abc import Callable, Sequence
from typing import Any

from bench.corpus import written
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query.compiled import CompiledQuery, compile_query
from newsletter.matching.query.language import parse


def plans(queries: Sequence[tuple[Any, ...]]) -> dict[int, CompiledQuery]:
    """Queries read and compiled, by number."""
    return {number: compile_query(parse(written(query))) for number, query in enumerate(queries)}


def matcher(queries: Sequence[tuple[Any, ...]], *, places: bool) -> Callable[[str], set[int]]:
    """Which queries a text meets; `places`: also where, for all of them."""
    index = QueryIndex(plans(queries))
    if places:
        return lambda text: {one.topic_id for one in index.matching_queries(Document("", text, "en"))}
    return lambda text: index.matching_topics(Document("", text, "en"))
