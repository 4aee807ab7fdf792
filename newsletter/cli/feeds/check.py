"""The command that reads a feed without storing it, to show how its entries would be cut."""

from collections.abc import Iterator
from typing import Annotated

import typer

from newsletter import feed_wiring, wiring
from newsletter.cli.feeds.options import Authors, Categories, Cutting, Languages, narrowing
from newsletter.cli.output import Json, counted, example, fail, joined, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.feed_wiring import AnnounceChoice
from newsletter.feeds.catalogue import manage
from newsletter.feeds.catalogue.probe import CheckedEntry, CheckedFeed
from newsletter.feeds.storage.entry_filter import describe_filter, normalize_filter
from newsletter.lib import db
from newsletter.lib.refused import Refused

app = typer.Typer()


@app.command(
    epilog=example(
        "feeds check https://digest.example/feed/ --topics", "feeds check https://digest.example/ --author LLD"
    )
)
def check(
    url: str,
    author: Authors = None,
    category: Categories = None,
    language: Languages = None,
    cut: Cutting = "auto",
    topics: Annotated[
        bool,
        typer.Option("--topics", help="Show which topics it would match, and how many people --announce would mail."),
    ] = False,
    json: Json = False,
) -> None:
    """Show what is at URL, how its newest entries would be cut into items, and why.

    Options show what they would let through. Nothing is stored.
    """
    only = narrowing(author, category, language)
    if topics:
        _show_topics(url, only, cut, json)
        return
    found = manage.check(url, only=only, cut=cut, fetcher=wiring.fetcher(), now=db.now())
    if isinstance(found, Refused):
        fail(found.reason)
    if json:
        result(found, json)
        return
    result(None, False, *_summary(found, only))
    for entry in found.entries:
        _show_checked(entry)


def _summary(found: CheckedFeed, only: dict[str, list[str]]) -> Iterator[str]:
    """The lines above the entries."""
    yield f"{found.title}: {counted(found.total, 'entry', 'entries')}, language {found.language or 'not given'}"
    if found.note:
        yield found.note
    if found.left_out:
        yield f"{counted(found.left_out, 'older entry is', 'older entries are')} not read: the newest {found.total} count"
    if any(only.values()):
        yield f"Narrowed to {describe_filter(normalize_filter(only))}: {found.through} of {found.total} are let through"
    if len(found.entries) < found.total:
        yield f"Shown here: the newest {len(found.entries)} of {found.total}"


def _show_checked(entry: CheckedEntry) -> None:
    about = joined([entry.author or "no author", *entry.categories, entry.lang or "no language"])
    fate = "" if entry.through else "  LEFT OUT"
    result(None, False, "", f"{when(entry.published_at)}  {entry.title}{fate}", f"  by {about}", f"  {entry.reason}")
    columns = {
        "": lambda row: f"  {row[0]}",
        "Item": lambda row: row[1].title,
        "Characters": lambda row: len(row[1].text),
        "Source": lambda row: joined(source.publisher or source.url for source in row[1].cited),
    }
    table(list(enumerate(entry.pieces, 1)), False, columns, empty="  nothing")
    if entry.left_out:
        result(None, False, f"  in no item: {entry.left_out[:200]}")


def _show_topics(url: str, only: dict[str, list[str]], cut: str, json: bool) -> None:
    """What adding the feed would do, as the desk shows it."""
    ready()
    preview = feed_wiring.preview_feed(url, only=only, cut=cut, now=db.now())
    if isinstance(preview, Refused):
        fail(preview.reason)
    if json:
        document = {
            "title": preview.feed.title,
            "url": preview.feed.url,
            "choices": preview.choices,
            "newest": preview.newest,
        }
        result(document, json)
        return
    result(None, False, *_summary(preview.feed, only), *map(_choice, preview.choices))
    for each in preview.newest:
        _show_checked(each.entry)
        names = dict.fromkeys(topic.name for topics in each.topics for topic in topics)
        result(None, False, f"  topics: {joined(names)}")


def _choice(choice: AnnounceChoice) -> str:
    matching = f"{choice.matching} of {counted(choice.items, 'item')} match a topic"
    return f"--announce {choice.announce}: {matching}, which {choice.people} people follow"
