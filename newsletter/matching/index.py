"""All queries in one index: which topics an item meets, and where. A change is cheap; the whole is rebuilt now and then."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from newsletter.matching.core import Core
from newsletter.matching.opened import MOST_PLACES, Opened
from newsletter.matching.query import parse
from newsletter.matching.readable import Hit, Readable
from newsletter.matching.sought import Plan, Sought, asked, compiled
from newsletter.matching.tree import meets

__all__ = ["Hit", "Index", "Met", "Readable", "spans"]

#: A layer is put together with a later one that is half as large, so there are few, and each change moves seldom.
_RATIO = 2
#: A layer of so many topics is large: it gets an automaton, and is left alone until all is rebuilt.
_LARGE = 2_000


@dataclass(frozen=True)
class Met:
    """A query that an item meets, and where its words stand: the first `MOST_PLACES` places."""

    topic_id: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class _Layer:
    core: Core
    #: Topics that a later layer knows better, or that are gone.
    hidden: frozenset[int] = frozenset()


class Index:
    """The compiled queries of all topics. Read-only, so threads may share it; a change makes another that shares most of it."""

    def __init__(self, plans: Mapping[int, Plan]) -> None:
        self._layers: tuple[_Layer, ...] = (_Layer(Core(plans, automaton=True, remember=True)),)

    def with_(self, added: Mapping[int, Plan], removed: Collection[int] = ()) -> "Index":
        """The same with some topics new, changed or gone. Takes time by the number of recent changes, not of topics."""
        changed = frozenset(added) | frozenset(removed)
        layers = [_Layer(one.core, one.hidden | one.core.knows(changed)) for one in self._layers]
        recent = dict(added)
        while len(layers) > 1 and len(layers[-1].core) <= min(_LARGE, _RATIO * len(recent)):
            recent = _live(layers.pop()) | recent
        made = Index.__new__(Index)
        made._layers = (*layers, _Layer(Core(recent, automaton=len(recent) >= _LARGE))) if recent else tuple(layers)
        return made

    def rebuilt(self) -> "Index":
        """The same with everything in one layer."""
        return Index(self.plans)

    @property
    def plans(self) -> dict[int, Plan]:
        """Topic id → compiled query."""
        return {topic_id: plan for layer in self._layers for topic_id, plan in _live(layer).items()}

    @property
    def changes(self) -> int:
        """How many topics changed since everything was in one layer: says when to rebuild."""
        return sum(len(layer.core) for layer in self._layers[1:]) + len(self._layers[0].hidden)

    def meet(self, item: Readable, *, told: Collection[int] | None = None) -> list[Met]:
        """Every query that an item meets, by topic id. `told`: topics whose places are wanted, the others come without."""
        opened = Opened(item)
        return [
            Met(topic_id, _hits(layer.core.plan(topic_id), opened) if told is None or topic_id in told else ())
            for topic_id, layer in sorted(self._met(opened).items(), key=lambda one: one[0])
        ]

    def topics(self, item: Readable) -> list[int]:
        """Only the ids of the queries that an item meets."""
        opened = Opened(item)
        if len(self._layers) == 1:
            return sorted(self._layers[0].core.meet(opened))
        return sorted(self._met(opened))

    def _met(self, opened: Opened) -> dict[int, _Layer]:
        met: dict[int, _Layer] = {}
        for layer in self._layers:
            met |= dict.fromkeys(layer.core.meet(opened), layer)
            if layer.hidden:
                for topic_id in met.keys() & layer.hidden:
                    if met[topic_id] is layer:
                        del met[topic_id]
        return met


def _live(layer: _Layer) -> dict[int, Plan]:
    return layer.core.plans(layer.hidden)


def _hits(plan: Plan, opened: Opened) -> tuple[Hit, ...]:
    if isinstance(plan, Sought):
        return opened.hits(plan)
    found: Iterable[Hit] = {hit for sought in set(asked(plan)) for hit in opened.hits(sought)}
    return tuple(sorted(found, key=_order)[:MOST_PLACES])


def _order(hit: Hit) -> tuple[bool, bool, int, int, str]:
    return hit.field != "title", hit.field != "text", hit.start, -hit.end, hit.term


def spans(query: str, title: str, text: str) -> tuple[Hit, ...]:
    """Where the words of one query stand in a title and a text; empty when they do not meet it.

    Raises:
        QueryError: the query cannot be used.
    """
    opened = Opened(Readable(title, text))
    plan = compiled(parse(query))
    return _hits(plan, opened) if meets(plan, lambda sought: bool(opened.hits(sought))) else ()
