"""Keyset pagination: a page begins after the last row of the page before, so each costs the same, however far back."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class KeysetPage(Generic[Row]):
    """Some rows, newest first. `after`: the id to ask with for the next page; None: this is the last one."""

    rows: list[Row]
    after: int | None


def newest_first(query: QuerySet[Row], *, after: int | None = None, size: int = 50) -> KeysetPage[Row]:
    """The `size` newest rows by id, of those with an id below `after`."""
    if after is not None:
        query = query.filter(pk__lt=after)
    rows = list(query.order_by("-pk")[: size + 1])
    return KeysetPage(rows[:size], rows[size - 1].pk if len(rows) > size else None)
