"""The command that polls feeds now."""

from typing import Annotated

import typer
from rich.console import Console

from newsletter import wiring
from newsletter.cli.feeds.options import feed_id_of
from newsletter.cli.output import Json, counted, example, fail, result
from newsletter.cli.service.migrations import ready
from newsletter.feeds import poll
from newsletter.feeds.catalogue import feed_status, manage
from newsletter.feeds.polling.record_result import PollResult
from newsletter.lib import db

app = typer.Typer()

_NO_FEEDS = "No active feeds: add one with 'newsletter feeds add URL'"


@app.command(epilog=example("feeds refresh", "feeds refresh 1"))
def refresh(
    reference: Annotated[
        str | None, typer.Argument(metavar="[ID|URL]", help="One feed; without it, all active ones.")
    ] = None,
    json: Json = False,
) -> None:
    """Poll feeds now, whether they are due or not. Workers, or 'newsletter once', then send the mails."""
    ready()
    chosen = (
        [feed_id_of(reference)]
        if reference
        else [row.id for row in feed_status.listing(now=db.now()) if row.state == "active"]
    )
    for feed_id in chosen:
        manage.mark_due(feed_id, now=db.now())
    read = []
    with Console(stderr=True).status(f"reading {counted(len(chosen), 'feed')} …") as shown:
        for polled in poll.poll_due(clock=db.now, fetcher=wiring.fetcher(), only=chosen):
            read.append(polled)
            shown.update(f"{len(read)} of {len(chosen)} feeds read")
    states = {row.id: row.state for row in feed_status.listing(now=db.now())}
    read += [_unread(feed_id, states) for feed_id in set(chosen) - {polled.feed_id for polled in read}]
    read.sort(key=lambda polled: polled.feed_id)
    result(read, json, *(map(_describe, read) if read else [_NO_FEEDS]))
    if read and all(polled.error for polled in read):
        fail("no feed could be read")


def _unread(feed_id: int, states: dict[int, str]) -> PollResult:
    state = states.get(feed_id, "removed")
    if state == "active":
        return PollResult(
            feed_id, "busy", error="another process reads its site, or the site wants to be left alone: try again later"
        )
    return PollResult(feed_id, state, error=f"it is {state}: 'newsletter feeds resume {feed_id}' reads it again")


def _describe(polled: PollResult) -> str:
    error = f"; {polled.error}" if polled.error else ""
    return f"feed {polled.feed_id}: {polled.status}, {polled.new} new, {polled.changed} changed{error}"
