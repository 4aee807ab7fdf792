"""The command that lists what a topic matched."""

from typing import Annotated

import typer

from newsletter.cli.output import Json, example, fail, joined, result, table
from newsletter.cli.service.migrations import ready
from newsletter.cli.topics.commands import Name
from newsletter.matching.topics.lookup import find_topic, no_such_topic
from newsletter.matching.workshop.topic_matches import MatchedItem, newest_matches

app = typer.Typer()


@app.command(epilog=example("topics matches Uyghur", "topics matches Uyghur --count 100"))
def matches(
    name: Name,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many to list.")] = 25,
    json: Json = False,
) -> None:
    """List the newest items of a topic, the words that matched, and whether they are mailed."""
    ready()
    topic = find_topic(name)
    if topic is None:
        fail(no_such_topic().reason)
    rows = newest_matches(topic.id, size=count).rows
    if json:
        result([_document(row) for row in rows], json)
        return
    columns = {
        "Item": lambda row: row.item_id,
        "Matched": lambda row: row.matched_at,
        "Title": lambda row: "".join(piece.text for piece in row.title),
        "Words": lambda row: joined(_words(row)),
        "Mail": lambda row: row.fate,
        "Not about this": lambda row: row.objections,
    }
    table(rows, json, columns, empty="It matched nothing yet.")


def _words(row: MatchedItem) -> list[str]:
    return list(dict.fromkeys(piece.text for piece in (*row.title, *row.text) if piece.marked))


def _document(row: MatchedItem) -> dict[str, object]:
    return {
        "item_id": row.item_id,
        "matched_at": row.matched_at,
        "title": "".join(piece.text for piece in row.title),
        "words": _words(row),
        "fate": row.fate,
        "objections": row.objections,
    }
