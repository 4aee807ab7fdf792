"""The command that lists feeds. It needs the tables alone, not what reads feeds."""

import typer

from newsletter.cli.output import Json, example, joined, result, table
from newsletter.cli.service.migrations import ready
from newsletter.feeds.catalogue.feed_status import FeedRow, listing
from newsletter.lib import db
from newsletter.lib.clock import span

app = typer.Typer()


@app.command("list", epilog=example("feeds list", "feeds list --json"))
def list_feeds(json: Json = False) -> None:
    """List all feeds and their health."""
    ready()
    columns = {
        "ID": lambda row: row.id,
        "Health": lambda row: row.health,
        "Feed": lambda row: f"{row.title}\n{row.url}" if row.title else row.url,
        "Entries": lambda row: row.entries,
        "Every": lambda row: span(row.posts_every),
        "Newest": lambda row: f"{row.newest_at:%Y-%m-%d}" if row.newest_at else "-",
        "Next poll": lambda row: f"{row.next_fetch_at:%H:%M} UTC" if row.state == "active" else "-",
    }
    feeds = listing(now=db.now())
    table(feeds, json, columns, empty="No feeds yet: add one with 'newsletter feeds add URL'")
    if not json:
        result(None, False, *(f"feed {row.id} ({row.title}): {trouble}" for row in feeds if (trouble := _trouble(row))))


def _trouble(row: FeedRow) -> str:
    reason = row.reason if row.needs_somebody else ""
    return joined(filter(None, [reason, *row.incidents])) if reason or row.incidents else ""
