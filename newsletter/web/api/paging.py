"""Pages of a list: each begins after the last row of the one before."""

from collections.abc import Callable, Iterable
from typing import Annotated, Generic, TypeVar

from ninja import Query
from pydantic import Field

from newsletter.web.api.schema import MOST, ApiSchema

Row = TypeVar("Row")
Thing = TypeVar("Thing")

After = Annotated[int | None, Query(ge=1, le=MOST, description="The `after` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=100, description="Rows of a page.")]


class ApiPage(ApiSchema, Generic[Row]):
    """Some rows. `after`: ask with it for the next page; null: this is the last one."""

    rows: list[Row]
    after: int | None = Field(examples=[None])


def page_of(
    things: Iterable[Thing], key: Callable[[Thing], int], after: int | None, limit: int
) -> tuple[list[Thing], int | None]:
    """The `limit` things with the next larger keys, of a list that is short enough to be read whole, and the next `after`."""
    rest = sorted((thing for thing in things if after is None or key(thing) > after), key=key)
    return rest[:limit], key(rest[limit - 1]) if len(rest) > limit else None
