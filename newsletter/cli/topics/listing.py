"""The command that lists topics. It needs the tables alone, not what matches."""

import typer

from newsletter import wiring
from newsletter.cli.output import Json, example, table
from newsletter.cli.service.migrations import ready
from newsletter.matching.topics import topic_status

app = typer.Typer()


@app.command("list", epilog=example("topics list"))
def list_topics(json: Json = False) -> None:
    """List all topics."""
    ready()
    columns = {
        "ID": lambda row: row.topic_id,
        "Name": lambda row: row.name,
        "State": lambda row: row.state,
        "Matches": lambda row: row.matches,
        "Followers": lambda row: row.followers,
        "Query": lambda row: row.query,
    }
    table(
        topic_status.list_topics(small_number=wiring.config().small_number),
        json,
        columns,
        empty="No topics yet: add one with 'newsletter topics add NAME --query QUERY'",
    )
