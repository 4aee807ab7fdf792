"""Commands that add, show, change, hold and retire topics."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from django.conf import settings

from newsletter.cli.output import Json, ask, example, fail, misuse, note, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.cli.topics.listing import many
from newsletter.cli.topics.preview import confirm_large_change, describe_preview
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.aliases import groups, pack_files
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.query.language import parse
from newsletter.matching.topics import hold, preview, reader_feedback, revisions, topic_status, topics
from newsletter.matching.topics.revisions import SavedRevision, TopicChange, TopicDraft
from newsletter.models import Topic

app = typer.Typer()

T = TypeVar("T")
_BY = "command line"

Name = Annotated[str, typer.Argument(metavar="NAME", help="The topic's name.")]
Query = Annotated[str, typer.Option("--query", help="What it looks for: see docs/topics.md.")]
Packs = Annotated[
    str, typer.Option("--packs", metavar="PACK,…", help="Alias packs whose spellings its words meet; 'all' or 'none'.")
]
Without = Annotated[list[str] | None, typer.Option("--without", metavar="SPELLING", help="Switch a spelling off.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, however many items it would bring.")]
Days = Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")]


@app.command(epilog=example("topics add Uyghur --query Uyghur", "topics add Uyghur --pack peoples:uyghur"))
def add(
    name: Name,
    query: Query = "",
    pack: Annotated[str, typer.Option(help="Take a group of an alias pack instead, as PACK:GROUP.")] = "",
    packs: Packs = "all",
    without: Without = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Add a topic. It meets items that are seen from now on; nobody is mailed old ones."""
    ready()
    if bool(query) == bool(pack):
        misuse("give either --query or --pack")
    draft = _or_fail(revisions.new_draft(query or _from_pack(pack), packs=_names(packs), off=tuple(without or ())))
    _hint(draft)
    effect = preview.preview_draft(draft, now=db.now())
    confirm_large_change(effect, yes)
    made = _or_fail(topics.add_draft(name, draft, now=db.now(), made_by=_BY))
    _saved(made, effect, json, "added")


@app.command(epilog=example("topics show Uyghur"))
def show(name: Name, json: Json = False) -> None:
    """Show a topic, and the spellings that readers found to bring wrong items."""
    ready()
    shown = topic_status.find_status(name)
    if shown is None:
        fail("there is no such topic: see 'newsletter topics list'")
    noisy = reader_feedback.noisy_spellings(shown.topic_id)
    lines = [
        f"{shown.name} (revision {shown.revision}, {shown.state})",
        f"query: {shown.query}",
        f"packs: {_packs(shown.packs)}" + (f"; without {', '.join(shown.without)}" if shown.without else ""),
        f"{shown.matches} items matched, followed by {many(shown.followers)}",
    ]
    for spelling in noisy:
        where = f" ({spelling.pack})" if spelling.pack else ""
        lines.append(f"noisy: {spelling.spelling}{where}: {spelling.objections} objections on {spelling.matches} items")
        lines += [f"  {sample.objections} on item {sample.item_id}: {sample.title}" for sample in spelling.worst]
    if any(spelling.pack for spelling in noisy):
        lines.append("'newsletter topics edit NAME --without SPELLING' switches a spelling off")
    result({"topic": shown, "noisy": noisy}, json, *lines)


@app.command(
    epilog=example(
        "topics edit Uyghur --query 'Uyghur OR \"East Turkestan\"'",
        "topics edit Uyghur --without Uigur",
        "topics edit Uyghur --packs peoples,institutions",
    )
)
def edit(
    name: Name,
    query: Query = "",
    packs: Packs = "",
    without: Without = None,
    with_: Annotated[
        list[str] | None, typer.Option("--with", metavar="SPELLING", help="Switch a spelling on again.")
    ] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Change a topic, after a look at what that does. It takes the alias packs as they are now; nobody is mailed old items."""
    ready()
    change = TopicChange(query or None, _names(packs) if packs else None, tuple(without or ()), tuple(with_ or ()))
    _save(name, _or_fail(revisions.changed_draft(name, change)), yes, json, "changed")


@app.command("preview", epilog=example("topics preview --query 'cable AND sea' --days 30", "topics preview Uyghur"))
def show_preview(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A topic; with --query, as it would become.")] = "",
    query: Query = "",
    days: Days = 90,
    json: Json = False,
) -> None:
    """Show which stored items a query meets, or a topic, or what a new query would change. Nothing is stored or mailed."""
    ready()
    if not name and not query:
        misuse("give a topic's name, or --query, or both")
    if not name:
        effect = preview.preview_draft(_or_fail(revisions.new_draft(query)), now=db.now(), days=days)
    elif not query:
        effect = _or_fail(preview.preview_topic(name, None, now=db.now(), days=days))
    else:
        draft = _or_fail(revisions.changed_draft(name, TopicChange(query)))
        effect = _or_fail(preview.preview_topic(name, draft, now=db.now(), days=days))
    result(effect, json, *describe_preview(effect))


@app.command(epilog=example("topics history Uyghur"))
def history(name: Name, json: Json = False) -> None:
    """Show everything that a topic was."""
    ready()
    columns: dict[str, Callable[[Any], Any]] = {
        "Revision": lambda row: row.n,
        "Since": lambda row: when(row.made_at),
        "By": lambda row: row.made_by,
        "Query": lambda row: row.query,
        "Packs": lambda row: _packs(row.packs),
        "Without": lambda row: ", ".join(row.without),
        "Note": lambda row: row.note,
    }
    table(_or_fail(revisions.history(name)), json, columns, empty="")


@app.command(epilog=example("topics revert Uyghur 1"))
def revert(
    name: Name,
    n: Annotated[int, typer.Argument(metavar="N", min=1, help="The revision to go back to.")],
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Make a topic what it was in revision N; that is a new revision."""
    ready()
    _save(name, _or_fail(revisions.restored_draft(name, n)), yes, json, f"is as it was in revision {n}")


@app.command("hold", epilog=example("topics hold Uyghur"))
def hold_topic(name: Name, json: Json = False) -> None:
    """Collect a topic's matches without mailing them, until it is released."""
    ready()
    held = _or_fail(hold.hold(name, now=db.now()))
    result(held, json, f"topic {held.topic_id} is on hold: {held.waiting} matches wait, and what comes is collected")


@app.command(epilog=example("topics release Uyghur", "topics release Uyghur --mail"))
def release(
    name: Name,
    mail: Annotated[bool, typer.Option("--mail", help="Mail what was collected during the hold, too.")] = False,
    json: Json = False,
) -> None:
    """End a hold. What was owed before it is owed again; what was collected in it only with --mail."""
    ready()
    done = _or_fail(hold.release(name, mail=mail, now=db.now()))
    result(
        done, json, f"topic {done.topic_id} goes on: {done.owed} matches are owed again, {done.dropped} are not mailed"
    )


@app.command(epilog=example("topics retire Uyghur --yes"))
def retire(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, json: Json = False
) -> None:
    """Stop a topic and end its subscriptions."""
    ready()
    if not yes:
        ask("End this topic and all its subscriptions?", "add --yes to end it and all its subscriptions")
    made = _or_fail(topics.retire_topic(name, now=db.now()))
    result(made, json, f"topic {made.topic_id} retired")


@app.command(epilog=example("topics urgent Uyghur", "topics urgent Uyghur --off"))
def urgent(
    name: Annotated[str, typer.Argument(help="The topic's name.")],
    off: Annotated[bool, typer.Option("--off", help="An ordinary topic again.")] = False,
    json: Json = False,
) -> None:
    """Mark a topic urgent: an alert that stays in doubt for two hours is sent once more by itself. Others wait for you."""
    ready()
    if not Topic.objects.filter(kind=Topic.Kind.CURATED, name__iexact=name).update(urgent=not off):
        fail(f"there is no topic {name!r}: see 'newsletter topics list'")
    words = "an ordinary topic" if off else "urgent: alerts in doubt go once more after two hours"
    result({"topic": name, "urgent": not off}, json, f"{name} is {words}")


def _save(name: str, draft: TopicDraft, yes: bool, json: bool, what: str) -> None:
    _hint(draft)
    effect = _or_fail(preview.preview_topic(name, draft, now=db.now()))
    if not json:
        result(None, False, *describe_preview(effect))
    confirm_large_change(effect, yes)
    _saved(_or_fail(revisions.save_draft(name, draft, now=db.now(), made_by=_BY)), effect, json, what)


def _saved(made: SavedRevision, effect: preview.TopicPreview, json: bool, what: str) -> None:
    document = {"topic_id": made.topic_id, "revision": made.revision, "preview": effect}
    result(document, json, f"topic {made.topic_id} {what}")
    if not json:
        note("items seen from now on are owed; stored ones are matched again within the minute, and mailed to nobody")


def _hint(draft: TopicDraft) -> None:
    for spelling, better in groups.unmet_names(parse(draft.query), draft.query, draft.groups):
        note(f"hint: {spelling} has other spellings in the packs; written {better} it meets them")


def _names(packs: str) -> tuple[str, ...]:
    if packs == "all":
        return topic_aliases.available_packs()
    return tuple(name for part in packs.split(",") if (name := part.strip()) and name != "none")


def _packs(versions: dict[str, int]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items())) or "none"


def _from_pack(pack: str) -> str:
    try:
        return groups.group_query(pack_files.find_group(pack, settings.PACKS_DIR))
    except ValueError as error:
        fail(str(error))


def _or_fail(answer: T | Refused) -> T:
    if isinstance(answer, Refused):
        fail(answer.reason)
    return answer
