"""Which stored items meet a query, or a topic, and why."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from newsletter.cli.output import Json, example, fail, result
from newsletter.cli.service.migrations import ready
from newsletter.lib import db
from newsletter.matching import match as matching
from newsletter.matching.aliases.groups import spelling_of, table
from newsletter.matching.engine.explain import Explained
from newsletter.matching.topics import explain_match, revisions
from newsletter.matching.topics.explain_match import Why
from newsletter.matching.topics.lookup import Refused

app = typer.Typer()


@app.command(epilog=example("match --query 'Uyghur OR \"East Turkestan\"'", "match --query Huawei --entry 12"))
def match(
    query: Annotated[str, typer.Option("--query", help="What to look for: see docs/queries.md.")],
    entry: Annotated[int | None, typer.Option(help="Look at the items of this entry only.")] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")] = 90,
    packs: Annotated[
        bool, typer.Option("--packs/--no-packs", help="Meet the spellings of the alias packs, too.")
    ] = True,
    json: Json = False,
) -> None:
    """Show which stored items meet QUERY, and where its words stand in them."""
    ready()
    draft = revisions.first(query, packs=None if packs else ())
    if isinstance(draft, Refused):
        fail(draft.reason)
    found = matching.would_match(
        query, now=db.now(), days=days, limit=1000, entry_id=entry, aliases=table(draft.groups)
    )
    rows = [_row(one) for one in found]
    lines = [
        f"item {row['item']}: {row['title']}  ({', '.join(dict.fromkeys(map(_said, row['hits'])))})" for row in rows
    ]
    result(rows, json, *(lines or ["No stored item meets it."]))


@app.command(epilog=example("explain 12 Uyghur"))
def explain(
    item: Annotated[int, typer.Argument(metavar="ITEM", min=1, help="The item's number.")],
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic's name.")],
    json: Json = False,
) -> None:
    """Show why an item is about a topic, or which part of the topic's query it does not meet."""
    ready()
    why = explain_match.why(item, topic)
    if isinstance(why, Refused):
        fail(why.reason)
    result(why, json, *_lines(why))


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
                "text": shown[hit.field][hit.start : hit.end] if hit.field in shown else None,
                "term": hit.term,
                "alias": spelling_of(hit.alias) if hit.alias else None,
                "pack": hit.pack,
            }
            for hit in one.hits
        ],
    }


def _said(hit: dict[str, Any]) -> str:
    word = f"“{hit['text']}”" if hit["text"] is not None else hit["term"]
    return f"{word} for {hit['term']}" if hit["alias"] else word


def _lines(why: Why) -> Iterator[str]:
    yield f"item {why.item_id}: {why.title}"
    yield f"{'meets' if why.meets else 'does not meet'} {why.topic}, revision {why.revision}: {why.query}"
    for one in why.decided:
        yield f"  {_clause(one, why)}"
        for spelling in one.without_context:
            yield f"  {spelling_of(spelling)} is in it, and none of the words that it needs beside it"
    yield f"stored: {why.stored or 'no match'}"


def _clause(one: Explained, why: Why) -> str:
    if not one.met:
        return f"{one.term} is not in it" + (", and must not be" if why.meets else "")
    where = ", ".join(f"“{word}”" for word in why.words[one.term]) or one.hits[0].field
    packs = ", ".join(sorted({f"{spelling_of(hit.alias)} ({hit.pack})" for hit in one.hits if hit.alias}))
    found = f"{one.term}: {where}" + (f", by the other spelling {packs}" if packs else "")
    return found if why.meets else f"{found}: it must not be there"
