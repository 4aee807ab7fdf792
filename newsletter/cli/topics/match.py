"""Which stored items meet a query, or a topic, and why."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

import typer

from newsletter.cli.output import Json, example, fail, misuse, note, result
from newsletter.cli.service.migrations import ready
from newsletter.cli.topics import query_file
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.aliases.groups import alias_table, term_to_spelling
from newsletter.matching.engine.explain import ClauseExplanation
from newsletter.matching.match import PreviewMatch, preview_matches_each
from newsletter.matching.topics import explain_match, revisions
from newsletter.matching.topics.explain_match import MatchExplanation

app = typer.Typer()


#: The newest items that are shown of one query.
_LIMIT = 1000


@app.command(
    epilog=example(
        "match --query 'Uyghur OR \"East Turkestan\"'",
        "match --query Huawei --entry 12",
        "match --queries queries.txt --json",
    )
)
def match(
    query: Annotated[str, typer.Option("--query", help="What to look for: see docs/queries.md.")] = "",
    queries: Annotated[
        str, typer.Option("--queries", metavar="FILE", help="Many instead, one a line; - is standard input.")
    ] = "",
    entry: Annotated[int | None, typer.Option(help="Look at the items of this entry only.")] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")] = 90,
    packs: Annotated[
        bool, typer.Option("--packs/--no-packs", help="Meet the spellings of the alias packs, too.")
    ] = True,
    json: Json = False,
) -> None:
    """Show which stored items meet QUERY, and where its words stand in them."""
    if bool(query) == bool(queries):
        misuse("give either --query or --queries")
    ready()
    look = partial(_look, entry=entry, days=days, packs=packs)
    if queries:
        _match_file(queries, look, json)
        return
    [rows] = look([query])
    result(rows, json, *_items(rows))


def _look(texts: list[str], *, entry: int | None, days: int, packs: bool) -> list[list[dict[str, Any]]]:
    """The rows of each query, in their order."""
    draft = revisions.new_draft(texts[0], packs=None if packs else ())
    if isinstance(draft, Refused):
        fail(draft.reason)
    found = preview_matches_each(
        texts, now=db.now(), days=days, limit=_LIMIT, entry_id=entry, aliases=alias_table(draft.groups)
    )
    return [[_row(one) for one in met] for met in found]


def _match_file(file: str, look: Callable[[list[str]], list[list[dict[str, Any]]]], json: bool) -> None:
    """Answer every line of a file that can be used, and name those that cannot."""
    asked = query_file.read(file)
    for line in asked:
        if line.error:
            note(f"{file}, line {line.number}: {line.error}")
    good = [line for line in asked if not line.error]
    if not good:
        fail(f"{file}: no query could be used")
    met = dict(zip((line.number for line in good), look([line.query for line in good]), strict=True))
    answers = [
        {"line": line.number, "query": line.query, "error": line.error, "matches": met.get(line.number, [])}
        for line in asked
    ]
    result(answers, json, *(text for line in good for text in (f"{line.query}:", *_items(met[line.number], "  "))))


def _items(rows: list[dict[str, Any]], indent: str = "") -> list[str]:
    """The rows for people."""
    lines = [
        f"{indent}item {row['item']}: {row['title']}  ({', '.join(dict.fromkeys(map(_said, row['hits'])))})"
        for row in rows
    ]
    return lines or [f"{indent}No stored item meets it."]


@app.command(epilog=example("explain 12 Uyghur"))
def explain(
    item: Annotated[int, typer.Argument(metavar="ITEM", min=1, help="The item's number.")],
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic's name.")],
    json: Json = False,
) -> None:
    """Show why an item is about a topic, or which part of the topic's query it does not meet."""
    ready()
    why = explain_match.explain_match(item, topic)
    if isinstance(why, Refused):
        fail(why.reason)
    result(why, json, *_lines(why))


def _row(one: PreviewMatch) -> dict[str, Any]:
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
                "alias": term_to_spelling(hit.alias) if hit.alias else None,
                "pack": hit.pack,
            }
            for hit in one.hits
        ],
    }


def _said(hit: dict[str, Any]) -> str:
    word = f"“{hit['text']}”" if hit["text"] is not None else hit["term"]
    return f"{word} for {hit['term']}" if hit["alias"] else word


def _lines(why: MatchExplanation) -> Iterator[str]:
    yield f"item {why.item_id}: {why.title}"
    yield f"{'meets' if why.meets else 'does not meet'} {why.topic}, revision {why.revision}: {why.query}"
    for one in why.decided:
        yield f"  {_clause(one, why)}"
        for spelling in one.without_context:
            yield f"  {term_to_spelling(spelling)} is in it, and none of the words that it needs beside it"
    yield f"stored: {why.stored or 'no match'}"


def _clause(one: ClauseExplanation, why: MatchExplanation) -> str:
    if not one.met:
        return f"{one.term} is not in it" + (", and must not be" if why.meets else "")
    where = ", ".join(f"“{word}”" for word in why.words[one.term]) or one.hits[0].field
    packs = ", ".join(sorted({f"{term_to_spelling(hit.alias)} ({hit.pack})" for hit in one.hits if hit.alias}))
    found = f"{one.term}: {where}" + (f", by the other spelling {packs}" if packs else "")
    return found if why.meets else f"{found}: it must not be there"
