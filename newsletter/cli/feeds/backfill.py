"""Commands for what feeds said before and between: backfill, incidents."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, counted, example, fail, result, table
from newsletter.cli.service.migrations import ready
from newsletter.feeds import backfill as archive
from newsletter.feeds.catalogue import archive_requests, manage
from newsletter.feeds.storage.incidents import close_by_id, listing
from newsletter.lib import db
from newsletter.lib.refused import Refused

incidents = typer.Typer(
    help="List what you should know about feeds; 'close' closes one.",
    invoke_without_command=True,
    epilog=example("feeds incidents", "feeds incidents close 7"),
)


app = typer.Typer()
app.add_typer(incidents, name="incidents")


@app.command(epilog=example("feeds backfill 1 --pages 20"))
def backfill(
    reference: Annotated[str, typer.Argument(metavar="ID|URL", help="The feed's number or URL.")],
    pages: Annotated[int | None, typer.Option(help="Read at most this many pages; without it, all.", min=1)] = None,
    pause: Annotated[float, typer.Option(help="Seconds between two pages.", min=0, max=3600)] = 1.0,
    restart: Annotated[bool, typer.Option("--restart", help="Start again with the newest page.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Leave out the next page, which cannot be read.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Let a worker read it; do not wait for that.")] = False,
    json: Json = False,
) -> None:
    """Read a feed's archive, older page by older page. Nothing of it is mailed; a stopped run continues where it was."""
    ready()
    feed_id = manage.find(reference)
    if feed_id is None:
        fail("there is no such feed: see 'newsletter feeds list'")
    if later:
        _ask_for_it(feed_id, pages or 0, restart, skip, json)
        return
    with _bar() as bar:
        task = bar.add_task("reading the archive", total=pages, items=0)
        done = archive.backfill(
            feed_id,
            archive.Options(pages or 0, pause, restart=restart, skip=skip),
            fetcher=wiring.fetcher(),
            clock=db.now,
            progress=lambda so_far: bar.update(task, completed=so_far.pages, items=so_far.items),
            actor=actor.from_command(),
        )
    if isinstance(done, Refused):
        fail(done.reason)
    read = (
        f"{counted(done.pages, 'page')} read, {counted(done.entries, 'new entry', 'new entries')}, "
        f"{counted(done.items, 'new item')}"
    )
    bad = f"; {counted(done.bad, 'entry', 'entries')} could not be read: report this as a bug" if done.bad else ""
    result(done, json, f"feed {feed_id}: {read}{bad}.", *_next_step(done))
    if done.status == "failed":
        where = f"feed {feed_id}, after {counted(done.pages_in_all, 'older page')}"
        fail(f"{where}: {done.error}; run it again to continue there, or with --skip to leave that page out")


def _ask_for_it(feed_id: int, pages: int, restart: bool, skip: bool, json: bool) -> None:
    """Leave a request for the workers, as the page of the feed does."""
    refused = archive_requests.request_archive(
        feed_id, pages=pages, restart=restart, skip=skip, now=db.now(), actor=actor.from_command()
    )
    if refused is not None:
        fail(refused.reason)
    asked = archive_requests.progress_of(feed_id)
    result(asked, json, f"feed {feed_id}: a worker reads its archive. Its page shows how far it is.")


def _next_step(done: archive.Backfilled) -> tuple[str, ...]:
    match done.status:
        case "finished" if not done.pages_in_all:
            return ("It has no older pages that can be read.",)
        case "finished":
            return (
                f"Its archive ({counted(done.pages_in_all, 'older page')}) is read to the end; --restart reads it again.",
            )
        case "met":
            return ("The gap is closed. Run it again to read what is older.",)
        case "overtaken":
            return ("Another process reads this archive, or it was restarted or removed: nothing more was done here.",)
        case "more":
            return ("Run it again to read on.",)
        case _:
            return ()


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pages, {task.fields[items]} new items"),
    )
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))


@incidents.callback()
def list_incidents(
    context: typer.Context,
    closed: Annotated[bool, typer.Option("--all", help="Also closed ones.")] = False,
    json: Json = False,
) -> None:
    """List what you should know about feeds."""
    if context.invoked_subcommand is not None:
        return
    ready()
    columns = {
        "ID": lambda row: row.id,
        "Kind": lambda row: row.kind,
        "Feed": lambda row: f"{row.feed_id} {row.feed_title}",
        "Opened": lambda row: row.opened_at,
        "Closed": lambda row: row.closed_at,
        "What to do": lambda row: row.detail,
    }
    table(listing(closed=closed), json, columns, empty="No incidents.")


@incidents.command(epilog=example("feeds incidents close 7"))
def close(
    incident: Annotated[int, typer.Argument(metavar="ID", help="The incident's number.")],
    json: Json = False,
) -> None:
    """Close an incident that you have looked at. The feed stays as it is."""
    ready()
    if not close_by_id(incident, db.now(), actor=actor.from_command()):
        fail(f"no incident {incident} is open: see 'newsletter feeds incidents'")
    result({"closed": incident}, json, f"incident {incident} closed")
