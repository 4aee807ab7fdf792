"""Commands for feeds."""

from typing import Annotated

import typer

from newsletter import db, wiring
from newsletter.cli.ready import ready
from newsletter.cli.show import Json, example, fail, joined, note, result, table, when
from newsletter.feeds import catalogue
from newsletter.feeds import refresh as reading
from newsletter.feeds.catalogue import Refused

app = typer.Typer(help="Feeds: check, add, list, show, edit, pause, resume, remove, refresh.", no_args_is_help=True)

Reference = Annotated[str, typer.Argument(metavar="ID|URL", help="The feed's number or URL.")]
_FIRST_POLL = {
    "none": "its present entries are stored and mailed to nobody; what comes later is",
    "latest": "of its present entries only the newest may be mailed",
    "all": "all its present entries may be mailed",
}


@app.command(epilog=example("feeds check https://digest.example/feed/"))
def check(url: str, json: Json = False) -> None:
    """Say what is at URL and how its newest entries would be cut into items. Nothing is stored."""
    found = catalogue.check(url, fetcher=wiring.fetcher(), now=db.now())
    if isinstance(found, Refused):
        fail(found.reason)
    if json:
        result(found, json)
        return
    result(None, False, f"{found.title}: {found.total} entries, language {found.language or 'not said'}", found.note)
    for entry in found.entries:
        result(None, False, "", f"{when(entry.published_at)}  {entry.title}", f"  {entry.reason}")
        for piece in entry.pieces:
            sources = joined(one.publisher or one.url for one in piece.cited)
            result(None, False, f"  - {piece.title}  [source: {sources}]")


@app.command(epilog=example("feeds add https://digest.example/feed/ --announce latest"))
def add(
    url: str,
    announce: Annotated[str, typer.Option(help="What of the first poll may be mailed: none, latest or all.")] = "none",
    title: Annotated[str, typer.Option(help="A title instead of the feed's own.")] = "",
    json: Json = False,
) -> None:
    """Add the feed at URL, or the feed of the web page there. It is read once, to be sure that it is one."""
    ready()
    added = catalogue.add(url, announce=announce, title=title, fetcher=wiring.fetcher(), now=db.now())
    if isinstance(added, Refused):
        fail(added.reason)
    result(
        added,
        json,
        f"feed {added.feed_id} added: {added.title}, {added.entries} entries. {added.note}".rstrip(),
        f"At the first poll, which is due now: {_FIRST_POLL[announce]}.",
    )


@app.command("list", epilog=example("feeds list", "feeds list --json"))
def list_feeds(json: Json = False) -> None:
    """List all feeds and how they are."""
    ready()
    columns = {
        "ID": lambda row: row.id,
        "State": lambda row: row.state,
        "Title": lambda row: row.title,
        "Entries": lambda row: row.entries,
        "Next read": lambda row: row.next_fetch_at,
        "Last read": lambda row: row.last.at if row.last else None,
        "Trouble": lambda row: row.last.error if row.last and row.failures else "",
        "URL": lambda row: row.url,
    }
    table(catalogue.listing(), json, columns, empty="No feeds yet: 'newsletter feeds add URL' adds one.")


@app.command(epilog=example("feeds show 1"))
def show(reference: Reference, json: Json = False) -> None:
    """Show a feed: its last fetches and newest entries with their items."""
    ready()
    shown = catalogue.show(_id(reference))
    if shown is None:
        fail("there is no such feed: see 'newsletter feeds list'")
    if json:
        result(shown, json)
        return
    feed = shown.feed
    result(
        None, False, f"{feed.id}  {feed.title}  {feed.url}  ({feed.state}, next read {when(feed.next_fetch_at)})", ""
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
    for entry in shown.newest:
        result(None, False, "", f"{when(entry.published_at)}  {entry.title}  (entry {entry.id})")
        for item in entry.items:
            sources = joined(one.publisher or one.url for one in item.sources)
            result(None, False, f"  - item {item.id}: {item.title}  [source: {sources}]")


@app.command(epilog=example("feeds edit 1 --title 'Harbour news'"))
def edit(
    reference: Reference,
    title: Annotated[str | None, typer.Option(help="A title; empty brings back the feed's own.")] = None,
    announce: Annotated[str | None, typer.Option(help="none, latest or all; counts until the first poll.")] = None,
    cut: Annotated[str | None, typer.Option(help="Cut entries into items: auto, never or always.")] = None,
    json: Json = False,
) -> None:
    """Change a feed's title, announce or cut."""
    ready()
    _done(catalogue.edit(_id(reference), now=db.now(), title=title, announce=announce, cut=cut), json, "changed")


@app.command(epilog=example("feeds pause 1"))
def pause(reference: Reference, json: Json = False) -> None:
    """Stop polling a feed."""
    ready()
    _done(catalogue.pause(_id(reference)), json, "paused")


@app.command(epilog=example("feeds resume 1"))
def resume(reference: Reference, json: Json = False) -> None:
    """Poll a feed again."""
    ready()
    _done(catalogue.resume(_id(reference), now=db.now()), json, "is polled again")


@app.command(epilog=example("feeds remove 1 --yes"))
def remove(
    reference: Reference,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Remove a feed with its entries and items. What was mailed stays mailed."""
    ready()
    feed_id = _id(reference)
    if not yes:
        typer.confirm(f"Remove feed {feed_id} with all its entries?", abort=True, err=True)
    _done(catalogue.remove(feed_id), json, "removed")


@app.command(epilog=example("feeds refresh", "feeds refresh 1"))
def refresh(
    reference: Annotated[
        str | None, typer.Argument(metavar="[ID|URL]", help="One feed; all active ones without.")
    ] = None,
    json: Json = False,
) -> None:
    """Read feeds now, whether they are due or not. Mails follow by the workers, or by 'newsletter once'."""
    ready()
    chosen = [_id(reference)] if reference else [row.id for row in catalogue.listing() if row.state == "active"]
    read = []
    for feed_id in chosen:
        note(f"reading feed {feed_id} …")
        catalogue.mark_due(feed_id, now=db.now())
        read.append(reading.refresh(feed_id, now=db.now(), fetcher=wiring.fetcher()))
    lines = [
        f"feed {one.feed_id}: {one.status}, {one.new} new, {one.changed} changed{'; ' + one.error if one.error else ''}"
        for one in read
    ]
    result(read, json, *(lines or ["No active feeds: 'newsletter feeds add URL' adds one."]))
    if read and all(one.error for one in read):
        fail("no feed could be read")


def _id(reference: str) -> int:
    feed_id = catalogue.find(reference)
    if feed_id is None:
        fail("there is no such feed: see 'newsletter feeds list'")
    return feed_id


def _done(answer: catalogue.Done | Refused, json: bool, what: str) -> None:
    if isinstance(answer, Refused):
        fail(answer.reason)
    result(answer, json, f"feed {answer.feed_id} {what}")
