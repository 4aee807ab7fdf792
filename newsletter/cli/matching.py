"""Which stored items meet a query, and why."""

from typing import Annotated, Any

import typer

from newsletter import db
from newsletter.cli.ready import ready
from newsletter.cli.show import Json, example, fail, result
from newsletter.matching import match as matching
from newsletter.matching.query import QueryError


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command(epilog=example("match --query 'Uyghur OR Uighur'", "match --query Huawei --entry 12 --json"))(match)


def match(
    query: Annotated[str, typer.Option("--query", help='Words, "phrases", AND, OR, NOT, parentheses.')],
    entry: Annotated[int | None, typer.Option(help="Look at the items of this entry only.")] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")] = 90,
    json: Json = False,
) -> None:
    """Show which stored items meet QUERY, and where its words stand in them."""
    ready()
    try:
        found = matching.would_match(query, now=db.now(), days=days, limit=1000, entry_id=entry)
    except QueryError as error:
        fail(f"the query cannot be used, column {error.column}: {error.hint}")
    rows = [_row(one) for one in found]
    lines = [
        f"item {row['item']}: {row['title']}  ({', '.join(dict.fromkeys(hit['text'] for hit in row['hits']))})"
        for row in rows
    ]
    result(rows, json, *(lines or ["No stored item meets it."]))


def _row(one: matching.Would) -> dict[str, Any]:
    shown = {"title": one.title, "text": one.text}
    return {
        "item": one.item_id,
        "entry": one.entry_id,
        "title": one.title,
        "url": one.url,
        "hits": [
            {
                "field": hit.field,
                "start": hit.start,
                "end": hit.end,
                "text": shown[hit.field][hit.start : hit.end],
                "term": hit.term,
                "alias": None,
            }
            for hit in one.hits
        ],
    }
