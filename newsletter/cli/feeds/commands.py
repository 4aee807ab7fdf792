"""Commands for feeds."""

from typing import Annotated

import typer
from rich.console import Console

from newsletter import wiring
from newsletter.cli.output import Json, example, fail, joined, misuse, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.feeds import poll
from newsletter.feeds.catalogue import manage
from newsletter.feeds.catalogue.feed_status import EntryRow
from newsletter.feeds.catalogue.probe import CheckedEntry
from newsletter.feeds.polling.record_result import PollResult
from newsletter.feeds.storage.entry_filter import describe_filter, normalize_filter
from newsletter.lib import db
from newsletter.lib.refused import Refused

app = typer.Typer()

Reference = Annotated[str, typer.Argument(metavar="ID|URL", help="The feed's number or URL.")]
Authors = Annotated[list[str] | None, typer.Option("--author", help="Only entries by this author; may be repeated.")]
Categories = Annotated[
    list[str] | None, typer.Option("--category", help="Only entries in this category; may be repeated.")
]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Only entries in this language, e.g. en; may be repeated.")
]
Cutting = Annotated[str, typer.Option(help="Cut entries into items: auto, never, always, or a CSS selector.")]
_FIRST_POLL = {
    "none": "its present entries are stored and mailed to nobody; what comes later is",
    "latest": "of its present entries only the newest may be mailed",
    "all": "all its present entries may be mailed",
}


@app.command(
    epilog=example("feeds check https://digest.example/feed/", "feeds check https://digest.example/ --author LLD")
)
def check(
    url: str,
    author: Authors = None,
    category: Categories = None,
    language: Languages = None,
    cut: Cutting = "auto",
    json: Json = False,
) -> None:
    """Say what is at URL, how its newest entries would be cut into items and why, and what a choice would let through.

    Nothing is stored.
    """
    only = _only(author, category, language)
    found = manage.check(url, only=only, cut=cut, fetcher=wiring.fetcher(), now=db.now())
    if isinstance(found, Refused):
        fail(found.reason)
    if json:
        result(found, json)
        return
    result(None, False, f"{found.title}: {found.total} entries, language {found.language or 'not said'}", found.note)
    if found.left_out:
        result(None, False, f"{found.left_out} older entries are not read: of a feed the newest {found.total} count")
    if any(only.values()):
        result(
            None,
            False,
            f"narrowed to {describe_filter(normalize_filter(only))}: {found.through} of them are let through",
        )
    for entry in found.entries:
        _show_checked(entry)


def _show_checked(entry: CheckedEntry) -> None:
    about = joined([entry.author or "no author", *entry.categories, entry.lang or "no language"])
    fate = "" if entry.through else "  LEFT OUT"
    result(None, False, "", f"{when(entry.published_at)}  {entry.title}{fate}", f"  by {about}", f"  {entry.reason}")
    columns = {
        "": lambda row: f"  {row[0]}",
        "Item": lambda row: row[1].title,
        "Characters": lambda row: len(row[1].text),
        "Source": lambda row: joined(one.publisher or one.url for one in row[1].cited),
    }
    table(list(enumerate(entry.pieces, 1)), False, columns, empty="  nothing")
    if entry.left_out:
        result(None, False, f"  in no item: {entry.left_out[:200]}")


@app.command(epilog=example("feeds add https://digest.example/feed/ --announce latest"))
def add(
    url: str,
    announce: Annotated[str, typer.Option(help="What of the first poll may be mailed: none, latest or all.")] = "none",
    title: Annotated[str, typer.Option(help="A title instead of the feed's own.")] = "",
    author: Authors = None,
    category: Categories = None,
    language: Languages = None,
    cut: Cutting = "auto",
    json: Json = False,
) -> None:
    """Add the feed at URL, or the feed of the web page there. It is read once, to be sure that it is one."""
    ready()
    only = _only(author, category, language)
    added = manage.add(url, announce=announce, title=title, only=only, cut=cut, fetcher=wiring.fetcher(), now=db.now())
    if isinstance(added, Refused):
        fail(added.reason)
    result(
        added,
        json,
        f"feed {added.feed_id} added: {added.title}, {added.entries} entries. {added.note}".rstrip(),
        f"At the first poll, which is due now: {_FIRST_POLL[announce]}.",
    )


@app.command(epilog=example("feeds show 1", "feeds show 1 --entry 12"))
def show(
    reference: Reference,
    entry: Annotated[int | None, typer.Option(help="One entry: how it was cut into items, and why.")] = None,
    json: Json = False,
) -> None:
    """Show a feed: how it is, its last fetches and newest entries with their items."""
    ready()
    if entry is not None:
        _show_one_entry(_id(reference), entry, json)
        return
    shown = manage.show(_id(reference), now=db.now())
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
    for one in shown.newest:
        _show_entry(one)


def _show_one_entry(feed_id: int, entry_id: int, json: bool) -> None:
    shown = manage.show_entry(feed_id, entry_id)
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
        "Source": lambda row: joined(one.publisher or one.url for one in row.sources),
    }
    table(entry.items, False, columns, empty="  no items")


@app.command(
    epilog=example(
        "feeds edit 1 --title 'Harbour news'", "feeds edit 1 --author LLD --author ANA", "feeds edit 1 --all"
    )
)
def edit(
    reference: Reference,
    title: Annotated[str | None, typer.Option(help="A title; empty brings back the feed's own.")] = None,
    announce: Annotated[str | None, typer.Option(help="none, latest or all; counts until the first poll.")] = None,
    cut: Annotated[str | None, typer.Option(help="Cut entries: auto, never, always, or a CSS selector.")] = None,
    author: Authors = None,
    category: Categories = None,
    language: Languages = None,
    everything: Annotated[bool, typer.Option("--all", help="Let all entries through again.")] = False,
    json: Json = False,
) -> None:
    """Change a feed's title, announce or cut, or narrow it; a new choice replaces the whole of the old one."""
    ready()
    only = _only(author, category, language)
    if everything and any(only.values()):
        misuse("--all lets everything through: leave out --author, --category and --language")
    narrowed = only if everything or any(only.values()) else None
    done = manage.edit(_id(reference), now=db.now(), title=title, announce=announce, cut=cut, only=narrowed)
    _done(done, json, "changed")


@app.command(epilog=example("feeds pause 1"))
def pause(reference: Reference, json: Json = False) -> None:
    """Stop polling a feed."""
    ready()
    _done(manage.pause(_id(reference)), json, "paused")


@app.command(epilog=example("feeds resume 1"))
def resume(reference: Reference, json: Json = False) -> None:
    """Poll a feed again."""
    ready()
    _done(manage.resume(_id(reference), now=db.now()), json, "is polled again")


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
    _done(manage.remove(feed_id), json, "removed")


@app.command(epilog=example("feeds refresh", "feeds refresh 1"))
def refresh(
    reference: Annotated[
        str | None, typer.Argument(metavar="[ID|URL]", help="One feed; all active ones without.")
    ] = None,
    json: Json = False,
) -> None:
    """Read feeds now, whether they are due or not. Mails follow by the workers, or by 'newsletter once'."""
    ready()
    chosen = (
        [_id(reference)] if reference else [row.id for row in manage.listing(now=db.now()) if row.state == "active"]
    )
    for feed_id in chosen:
        manage.mark_due(feed_id, now=db.now())
    read = []
    with Console(stderr=True).status(f"reading {len(chosen)} feeds …") as shown:
        for one in poll.poll_due(clock=db.now, fetcher=wiring.fetcher(), only=chosen):
            read.append(one)
            shown.update(f"{len(read)} of {len(chosen)} feeds read")
    states = {row.id: row.state for row in manage.listing(now=db.now())}
    read += [_unread(feed_id, states) for feed_id in set(chosen) - {one.feed_id for one in read}]
    read.sort(key=lambda one: one.feed_id)
    lines = [
        f"feed {one.feed_id}: {one.status}, {one.new} new, {one.changed} changed{'; ' + one.error if one.error else ''}"
        for one in read
    ]
    result(read, json, *(lines or ["No active feeds: 'newsletter feeds add URL' adds one."]))
    if read and all(one.error for one in read):
        fail("no feed could be read")


def _unread(feed_id: int, states: dict[int, str]) -> PollResult:
    state = states.get(feed_id, "removed")
    if state == "active":
        return PollResult(
            feed_id, "busy", error="another process reads its site, or the site wants to be left alone: try again later"
        )
    return PollResult(feed_id, state, error=f"it is {state}: 'newsletter feeds resume {feed_id}' reads it again")


def _only(author: list[str] | None, category: list[str] | None, language: list[str] | None) -> dict[str, list[str]]:
    return {"authors": author or [], "categories": category or [], "languages": language or []}


def _id(reference: str) -> int:
    feed_id = manage.find(reference)
    if feed_id is None:
        fail("there is no such feed: see 'newsletter feeds list'")
    return feed_id


def _done(answer: manage.Done | Refused, json: bool, what: str) -> None:
    if isinstance(answer, Refused):
        fail(answer.reason)
    result(answer, json, f"feed {answer.feed_id} {what}")
