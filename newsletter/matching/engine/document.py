"""What queries see of an item, and where their words stand in it."""

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """What queries see of an item. Its citation is not part of the text, but of `sources`."""

    title: str = dataclasses.field(repr=False)
    text: str = dataclasses.field(repr=False)
    #: BCP 47; empty if unknown.
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
    """Words of a query in an item. `start` and `end` count code points of the title or text as shown, or of the field's value."""

    field: str
    start: int
    end: int
    #: The term in its normal form.
    term: str = dataclasses.field(repr=False)
    #: The spelling that was found if it is an alias, and the pack it comes from.
    alias: str | None = None
    pack: str | None = None
