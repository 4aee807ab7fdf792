"""The command that shows a feed or one of its entries."""

from typing import Annotated

import typer

from newsletter.cli.feeds.options import Reference, feed_id_of
from newsletter.cli.output import Json, example, fail, joined, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.feeds.catalogue import feed_status
from newsletter.feeds.catalogue.feed_status import EntryRow
from newsletter.feeds.storage.entry_filter import describe_filter
from newsletter.lib import db

app = typer.Typer()


@app.command(epilog=example("feeds show 1", "feeds show 1 --entry 12"))
def show(
    reference: Reference,
    entry: Annotated[int | None, typer.Option(help="Show one entry: how it was cut into items, and why.")] = None,
    json: Json = False,
) -> None:
    """Show a feed: its health, its last fetches, and its newest entries with their items."""
    ready()
    if entry is not None:
        _show_one_entry(feed_id_of(reference), entry, json)
        return
    shown = feed_status.show(feed_id_of(reference), now=db.now())
    if shown is None:
        fail("there is no such feed: see 'newsletter feeds list'")
    if json:
        result(shown, json)
        return
    feed = shown.feed
    next_read = f", next read {when(feed.next_fetch_at)}" if feed.state == "active" else ""
    only = describe_filter(feed.only)
    narrowed = [f"narrowed to {only}"] if only else []
    result(
        None, False, f"{feed.id}  {feed.title}  {feed.url}  ({feed.health}{next_read})", *narrowed, *feed.incidents, ""
    )
    fetches = {
        "Read at": lambda row: row.at,
        "Status": lambda row: row.status or "-",
        "New": lambda row: row.new,
        "Changed": lambda row: row.changed,
        "Bytes": lambda row: row.bytes,
        "ms": lambda row: row.ms,
        "Trouble": lambda row: row.error,
    }
    table(shown.fetches, False, fetches, empty="Not read yet.")
    for newest in shown.newest:
        _show_entry(newest)


def _show_one_entry(feed_id: int, entry_id: int, json: bool) -> None:
    shown = feed_status.show_entry(feed_id, entry_id)
    if shown is None:
        fail(f"feed {feed_id} has no entry {entry_id}: see 'newsletter feeds show {feed_id}'")
    if json:
        result(shown, json)
    else:
        _show_entry(shown)


def _show_entry(entry: EntryRow) -> None:
    fate = "  LEFT OUT" if entry.left_out else ""
    result(None, False, "", f"{when(entry.published_at)}  {entry.title}  (entry {entry.id}){fate}", f"  {entry.reason}")
    columns = {
        "": lambda row: f"  item {row.id}",
        "Item": lambda row: row.title,
        "Version": lambda row: row.version,
        "Characters": lambda row: row.length,
        "Source": lambda row: joined(source.publisher or source.url for source in row.sources),
    }
    table(entry.items, False, columns, empty="  no items")
