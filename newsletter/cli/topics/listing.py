"""The command that lists topics. It needs the tables alone, not what matches."""

import typer

from newsletter.cli.output import Json, example, table
from newsletter.cli.service.migrations import ready
from newsletter.matching.topics import topic_status
from newsletter.matching.topics.topic_status import FEWEST_FOLLOWERS

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
        "Followers": lambda row: f"< {FEWEST_FOLLOWERS}" if row.followers is None else row.followers,
        "Query": lambda row: row.query,
    }
    table(
        topic_status.list_topics(),
        json,
        columns,
        empty="No topics yet: add one with 'newsletter topics add NAME --query QUERY'",
    )


def many(followers: int | None) -> str:
    """A number of people, or that it is too small to be told."""
    return f"fewer than {FEWEST_FOLLOWERS}" if followers is None else str(followers)
