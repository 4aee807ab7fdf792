"""What is read of an item, and where a query's words stand in it: values."""

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """What queries see of an item. The citation is not in the text: it is what `sources` holds."""

    title: str = dataclasses.field(repr=False)
    text: str = dataclasses.field(repr=False)
    #: BCP 47; empty when it is not known.
    lang: str = ""
    #: Names of the publishers it cites.
    sources: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    #: The feed's title and number.
    feed: str = ""
    feed_id: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Words of a query in an item: `start` and `end` count code points of the shown field.

    In title and text that is the text as it is shown; in any other field, the value that met the term.
    """

    field: str
    start: int
    end: int
    #: The term, in its normal way of writing.
    term: str = dataclasses.field(repr=False)
    #: The spelling that fired, if it was another, and the pack it is from.
    alias: str | None = None
    pack: str | None = None
