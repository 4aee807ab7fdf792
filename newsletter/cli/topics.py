"""Commands for topics."""

from typing import Annotated

import typer
from django.conf import settings

from newsletter import db
from newsletter.cli.ready import ready
from newsletter.cli.show import Json, example, fail, misuse, result, table, when
from newsletter.matching import aliases, match, topics
from newsletter.matching.query import QueryError
from newsletter.matching.topics import Refused

app = typer.Typer(help="Topics: add, list, show, edit, preview, history, retire.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The topic's name.")]
Query = Annotated[str, typer.Option("--query", help='What it looks for: words, "phrases", AND, OR, NOT, parentheses.')]


@app.command(
    epilog=example("topics add Uyghur --query 'Uyghur OR Uighur OR 维吾尔'", "topics add Uyghur --pack peoples:uyghur")
)
def add(
    name: Name,
    query: Query = "",
    pack: Annotated[str, typer.Option(help="Take the spellings of an alias pack instead, as PACK:GROUP.")] = "",
    json: Json = False,
) -> None:
    """Add a topic. It meets items that are seen from now on; nobody is mailed old ones."""
    ready()
    if bool(query) == bool(pack):
        misuse("give either --query or --pack")
    _done(topics.add(name, query or _from_pack(pack), now=db.now(), made_by="command line"), json, "added")


@app.command("list", epilog=example("topics list"))
def list_topics(json: Json = False) -> None:
    """List all topics."""
    ready()
    columns = {
        "Name": lambda row: row.name,
        "State": lambda row: row.state,
        "Matches": lambda row: row.matches,
        "Followers": lambda row: row.followers if row.followers is not None else f"fewer than {topics.FEWEST}",
        "Query": lambda row: row.query,
    }
    table(topics.listing(), json, columns, empty="No topics yet: 'newsletter topics add NAME --query Q' adds one.")


@app.command(epilog=example("topics show Uyghur"))
def show(name: Name, json: Json = False) -> None:
    """Show a topic."""
    ready()
    shown = topics.find(name)
    if shown is None:
        fail("there is no such topic: see 'newsletter topics list'")
    followers = shown.followers if shown.followers is not None else f"fewer than {topics.FEWEST}"
    result(
        shown,
        json,
        f"{shown.name} (revision {shown.revision}, {shown.state})",
        f"query: {shown.query}",
        f"{shown.matches} items matched, followed by {followers}",
    )


@app.command(epilog=example("topics edit Uyghur --query 'Uyghur OR Uighur OR Uygur'"))
def edit(name: Name, query: Query, json: Json = False) -> None:
    """Give a topic a new query. It counts for items seen from now on."""
    ready()
    _done(topics.edit(name, query, now=db.now(), made_by="command line"), json, "changed")


@app.command(epilog=example("topics preview --query 'cable AND sea' --days 90", "topics preview Uyghur"))
def preview(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A topic, instead of --query.")] = "",
    query: Query = "",
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")] = 30,
    json: Json = False,
) -> None:
    """Show which stored items a query, or a topic, meets. Nothing is stored or mailed."""
    ready()
    if bool(name) == bool(query):
        misuse("give either a topic's name or --query")
    if name:
        known = topics.find(name)
        if known is None:
            fail("there is no such topic: see 'newsletter topics list'")
        query = known.query
    try:
        found = match.would_match(query, now=db.now(), days=days)
    except QueryError as error:
        fail(f"the query cannot be used, column {error.column}: {error.hint}")
    columns = {
        "Seen": lambda row: row.first_seen_at,
        "Item": lambda row: row.item_id,
        "Title": lambda row: row.title,
    }
    per_day = len(found) / days
    table(found, json, columns, empty=f"Nothing in the last {days} days.")
    if not json and found:
        result(None, False, f"{len(found)} items in {days} days, {per_day:.1f} a day")


@app.command(epilog=example("topics history Uyghur"))
def history(name: Name, json: Json = False) -> None:
    """Show every query that a topic had."""
    ready()
    rows = topics.history(name)
    if isinstance(rows, Refused):
        fail(rows.reason)
    columns = {
        "Revision": lambda row: row.n,
        "Since": lambda row: when(row.made_at),
        "By": lambda row: row.made_by,
        "Query": lambda row: row.query,
    }
    table(rows, json, columns, empty="")


@app.command(epilog=example("topics retire Uyghur --yes"))
def retire(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, json: Json = False
) -> None:
    """Stop a topic and end its subscriptions."""
    ready()
    if not yes:
        typer.confirm("End this topic and all its subscriptions?", abort=True, err=True)
    _done(topics.retire(name, now=db.now()), json, "retired")


def _from_pack(pack: str) -> str:
    try:
        return aliases.query_of(pack, settings.PACKS_DIR)
    except ValueError as error:
        fail(str(error))


def _done(answer: topics.Made | Refused, json: bool, what: str) -> None:
    if isinstance(answer, Refused):
        fail(answer.reason)
    result(answer, json, f"topic {answer.topic_id} {what}")
