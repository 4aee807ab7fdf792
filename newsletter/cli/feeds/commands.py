"""Commands that add, change, pause and remove feeds."""

from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.feeds.options import Authors, Categories, Cutting, Languages, Reference, feed_id_of, narrowing
from newsletter.cli.output import Json, ask, counted, example, fail, misuse, result
from newsletter.cli.service.migrations import ready
from newsletter.feeds.catalogue import manage
from newsletter.lib import db
from newsletter.lib.refused import Refused

app = typer.Typer()

_FIRST_POLL = {
    "none": "Its present entries are stored but not mailed. Later ones are mailed",
    "latest": "Of its present entries, only the newest may be mailed",
    "all": "All its present entries may be mailed",
}


@app.command(epilog=example("feeds add https://digest.example/feed/ --announce latest"))
def add(
    url: str,
    announce: Annotated[
        str, typer.Option(help="Which of its present entries may be mailed: none, latest or all.")
    ] = "none",
    title: Annotated[str, typer.Option(help="A title instead of the feed's own.")] = "",
    author: Authors = None,
    category: Categories = None,
    language: Languages = None,
    cut: Cutting = "auto",
    json: Json = False,
) -> None:
    """Add the feed at URL, or the feed of the web page there. It is read once, to make sure that it is a feed."""
    ready()
    only = narrowing(author, category, language)
    added = manage.add(
        url,
        announce=announce,
        title=title,
        only=only,
        cut=cut,
        fetcher=wiring.fetcher(),
        now=db.now(),
        actor=actor.from_command(),
    )
    if isinstance(added, Refused):
        fail(added.reason)
    result(
        added,
        json,
        f"feed {added.feed_id} ({added.title}) added: {counted(added.entries, 'entry', 'entries')}. {added.note}".rstrip(),
        f"{_FIRST_POLL[announce]}. The first poll is due now.",
    )


@app.command(
    epilog=example(
        "feeds edit 1 --title 'Harbour news'", "feeds edit 1 --author LLD --author ANA", "feeds edit 1 --all"
    )
)
def edit(
    reference: Reference,
    title: Annotated[str | None, typer.Option(help="A title; an empty one restores the feed's own.")] = None,
    announce: Annotated[str | None, typer.Option(help="none, latest or all; no effect after the first poll.")] = None,
    cut: Annotated[str | None, typer.Option(help="Cut entries: auto, never, always, or a CSS selector.")] = None,
    author: Authors = None,
    category: Categories = None,
    language: Languages = None,
    everything: Annotated[bool, typer.Option("--all", help="Let all entries through again.")] = False,
    json: Json = False,
) -> None:
    """Change a feed's title, how it is cut, or which entries it lets through.

    --author, --category and --language together replace the earlier choice.
    """
    ready()
    only = narrowing(author, category, language)
    if everything and any(only.values()):
        misuse("--all lets everything through: leave out --author, --category and --language")
    narrowed = only if everything or any(only.values()) else None
    done = manage.edit(
        feed_id_of(reference),
        now=db.now(),
        title=title,
        announce=announce,
        cut=cut,
        only=narrowed,
        actor=actor.from_command(),
    )
    _done(done, json, "changed")


@app.command(epilog=example("feeds pause 1"))
def pause(reference: Reference, json: Json = False) -> None:
    """Stop polling a feed."""
    ready()
    _done(manage.pause(feed_id_of(reference), now=db.now(), actor=actor.from_command()), json, "paused")


@app.command(epilog=example("feeds resume 1"))
def resume(reference: Reference, json: Json = False) -> None:
    """Poll a feed again."""
    ready()
    _done(manage.resume(feed_id_of(reference), now=db.now(), actor=actor.from_command()), json, "is polled again")


@app.command(epilog=example("feeds remove 1 --yes"))
def remove(
    reference: Reference,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Remove a feed with its entries and items. Mails already sent stay as they are."""
    ready()
    feed_id = feed_id_of(reference)
    if not yes:
        ask(f"Remove feed {feed_id} with all its entries?", "add --yes to remove the feed with all its entries")
    _done(manage.remove(feed_id, now=db.now(), actor=actor.from_command()), json, "removed")


def _done(answer: manage.ChangedFeed | Refused, json: bool, what: str) -> None:
    if isinstance(answer, Refused):
        fail(answer.reason)
    result(answer, json, f"feed {answer.feed_id} ({answer.title}) {what}")
