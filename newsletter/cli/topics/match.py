"""Commands that show which stored items a query or topic matches, and why."""

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
from newsletter.matching.match import PreviewMatch, preview_matches
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
        str, typer.Option("--queries", metavar="FILE", help="A file of queries, one a line; - is standard input.")
    ] = "",
    entry: Annotated[int | None, typer.Option(help="Only the items of this entry.")] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")] = 90,
    packs: Annotated[
        bool, typer.Option("--packs/--no-packs", help="Match the spellings of the alias packs too.")
    ] = True,
    json: Json = False,
) -> None:
    """Show which stored items match a query, and which of their words."""
    if bool(query) == bool(queries):
        misuse("give either --query or --queries")
    ready()
    match_each = partial(_match_each, entry=entry, days=days, packs=packs)
    if queries:
        _match_file(queries, match_each, json)
        return
    [rows] = match_each([query])
    result(rows, json, *_items(rows))


def _match_each(texts: list[str], *, entry: int | None, days: int, packs: bool) -> list[list[dict[str, Any]]]:
    """The rows of each query, in their order."""
    draft = revisions.new_draft(texts[0], packs=None if packs else ())
    if isinstance(draft, Refused):
        fail(draft.reason)
    matches = preview_matches(
        texts, now=db.now(), days=days, limit=_LIMIT, entry_id=entry, aliases=alias_table(draft.groups)
    )
    return [[_row(match) for match in of_query] for of_query in matches]


def _match_file(file: str, match_each: Callable[[list[str]], list[list[dict[str, Any]]]], json: bool) -> None:
    """Answer every line of a file that can be used, and name those that cannot."""
    lines = query_file.read(file)
    for line in lines:
        if line.error:
            note(f"{file}, line {line.number}: {line.error}")
    usable = [line for line in lines if not line.error]
    if not usable:
        fail(f"{file}: no query could be used")
    rows = dict(zip((line.number for line in usable), match_each([line.query for line in usable]), strict=True))
    answers = [
        {"line": line.number, "query": line.query, "error": line.error, "matches": rows.get(line.number, [])}
        for line in lines
    ]
    result(answers, json, *(text for line in usable for text in (f"{line.query}:", *_items(rows[line.number], "  "))))


def _items(rows: list[dict[str, Any]], indent: str = "") -> list[str]:
    """The rows for people."""
    lines = [
        f"{indent}item {row['item']}: {row['title']}  ({', '.join(dict.fromkeys(map(_describe_hit, row['hits'])))})"
        for row in rows
    ]
    return lines or [f"{indent}No stored item matches."]


@app.command(epilog=example("explain 12 Uyghur"))
def explain(
    item: Annotated[int, typer.Argument(metavar="ITEM", min=1, help="The item's number.")],
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic's name.")],
    json: Json = False,
) -> None:
    """Show why an item matches a topic, or which part of the query it does not match."""
    ready()
    why = explain_match.explain_match(item, topic)
    if isinstance(why, Refused):
        fail(why.reason)
    result(why, json, *_lines(why))


def _row(match: PreviewMatch) -> dict[str, Any]:
    shown = {"title": match.title, "text": match.text}
    return {
        "item": match.item_id,
        "entry": match.entry_id,
        "title": match.title,
        "url": match.url,
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
            for hit in match.hits
        ],
    }


def _describe_hit(hit: dict[str, Any]) -> str:
    word = f"“{hit['text']}”" if hit["text"] is not None else hit["term"]
    return f"{word} for {hit['term']}" if hit["alias"] else word


def _lines(why: MatchExplanation) -> Iterator[str]:
    yield f"item {why.item_id}: {why.title}"
    yield f"{'matches' if why.meets else 'does not match'} {why.topic}, revision {why.revision}: {why.query}"
    for clause in why.decided:
        yield f"  {_clause(clause, why)}"
        for spelling in clause.without_context:
            yield f"  {term_to_spelling(spelling)} is in it, but none of the words that it needs beside it"
    yield f"stored: {why.stored or 'no match'}"


def _clause(clause: ClauseExplanation, why: MatchExplanation) -> str:
    if not clause.met:
        return f"{clause.term} is not in it" + (", and must not be" if why.meets else "")
    where = ", ".join(f"“{word}”" for word in why.words[clause.term]) or clause.hits[0].field
    packs = ", ".join(sorted({f"{term_to_spelling(hit.alias)} ({hit.pack})" for hit in clause.hits if hit.alias}))
    place = f"{clause.term}: {where}" + (f", by the other spelling {packs}" if packs else "")
    return place if why.meets else f"{place}: it must not be there"
