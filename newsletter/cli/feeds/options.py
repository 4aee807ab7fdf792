"""Options that several feed commands share, and what they stand for."""

from typing import Annotated

import typer

from newsletter.cli.output import fail
from newsletter.feeds.catalogue import manage

Reference = Annotated[str, typer.Argument(metavar="ID|URL", help="The feed's number or URL.")]
Authors = Annotated[list[str] | None, typer.Option("--author", help="Only entries by this author; may be repeated.")]
Categories = Annotated[
    list[str] | None, typer.Option("--category", help="Only entries in this category; may be repeated.")
]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Only entries in this language, e.g. en; may be repeated.")
]
Cutting = Annotated[str, typer.Option(help="Cut entries into items: auto, never, always, or a CSS selector.")]


def narrowing(author: list[str] | None, category: list[str] | None, language: list[str] | None) -> dict[str, list[str]]:
    """Which entries a feed lets through, as the feed's column holds it."""
    return {"authors": author or [], "categories": category or [], "languages": language or []}


def feed_id_of(reference: str) -> int:
    """The number of the feed that a person named by its number or URL."""
    feed_id = manage.find(reference)
    if feed_id is None:
        fail("there is no such feed: see 'newsletter feeds list'")
    return feed_id
