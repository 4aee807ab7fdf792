"""The command that lists feeds. It needs the tables alone, not what reads feeds."""

import typer

from newsletter.cli.output import Json, example, joined, span, table
from newsletter.cli.service.migrations import ready
from newsletter.feeds.catalogue.feed_status import FeedRow, listing
from newsletter.lib import db

app = typer.Typer()


@app.command("list", epilog=example("feeds list", "feeds list --json"))
def list_feeds(json: Json = False) -> None:
    """List all feeds and their health."""
    ready()
    columns = {
        "ID": lambda row: row.id,
        "How": lambda row: row.health,
        "Title": lambda row: row.title,
        "Entries": lambda row: row.entries,
        "Posts every": lambda row: span(row.posts_every),
        "Newest": lambda row: row.newest_at,
        "Next read": lambda row: row.next_fetch_at if row.state == "active" else None,
        "Trouble": _trouble,
        "URL": lambda row: row.url,
    }
    table(listing(now=db.now()), json, columns, empty="No feeds yet: 'newsletter feeds add URL' adds one.")


def _trouble(row: FeedRow) -> str:
    error = row.last.error if row.last and row.failures else ""
    return joined(filter(None, [error, *row.incidents])) if error or row.incidents else ""
