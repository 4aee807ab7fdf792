"""Our engine, as the peers are measured."""

from collections.abc import Callable, Sequence
from typing import Any

from bench.corpus import written
from newsletter.matching.engine.document import Readable
from newsletter.matching.engine.query_index import Index
from newsletter.matching.query.compiled import Plan, compiled
from newsletter.matching.query.language import parse


def plans(queries: Sequence[tuple[Any, ...]]) -> dict[int, Plan]:
    """Queries read and compiled, by number."""
    return {number: compiled(parse(written(query))) for number, query in enumerate(queries)}


def matcher(queries: Sequence[tuple[Any, ...]], *, places: bool) -> Callable[[str], set[int]]:
    """Which queries a text meets; `places`: also where, for all of them."""
    index = Index(plans(queries))
    if places:
        return lambda text: {one.topic_id for one in index.meet(Readable("", text, "en"))}
    return lambda text: index.topics(Readable("", text, "en"))
