"""The command that lists topics. It needs the tables alone, not what matches."""

import typer

from newsletter import wiring
from newsletter.cli.output import Json, example, result, table
from newsletter.cli.service.migrations import ready
from newsletter.lib import db
from newsletter.matching.topics import topic_status
from newsletter.matching.topics.topic_list import topic_rows

app = typer.Typer()


@app.command("list", epilog=example("topics list"))
def list_topics(json: Json = False) -> None:
    """List all topics.

    Those that need somebody come first.
    """
    ready()
    small_number = wiring.config().small_number
    if json:
        result(topic_status.list_topics(small_number=small_number), json)
        return
    columns = {
        "ID": lambda row: row.topic_id,
        "Name": lambda row: row.name,
        "State": lambda row: row.condition.word,
        "A week": lambda row: row.per_week,
        "Followers": lambda row: row.followers,
        "Query": lambda row: row.query,
    }
    table(
        topic_rows(now=db.now(), small_number=small_number),
        json,
        columns,
        empty="No topics yet: add one with 'newsletter topics add NAME --query QUERY'",
    )
