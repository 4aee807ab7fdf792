"""The command that reads a feed without storing it, to show how its entries would be cut."""

import typer

from newsletter import wiring
from newsletter.cli.feeds.options import Authors, Categories, Cutting, Languages, narrowing
from newsletter.cli.output import Json, example, fail, joined, result, table, when
from newsletter.feeds.catalogue import manage
from newsletter.feeds.catalogue.probe import CheckedEntry
from newsletter.feeds.storage.entry_filter import describe_filter, normalize_filter
from newsletter.lib import db
from newsletter.lib.refused import Refused

app = typer.Typer()


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
    only = narrowing(author, category, language)
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
