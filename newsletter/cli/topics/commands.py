"""Commands that add, show and change topics, and go back to earlier revisions."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from django.conf import settings

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, counted, example, fail, misuse, note, or_fail, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.cli.topics.preview import confirm_large_change, describe_preview
from newsletter.lib import db
from newsletter.matching.aliases import groups, pack_files
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.query.language import parse
from newsletter.matching.topics import lookup, preview, reader_feedback, revisions, topic_list, topic_status, topics
from newsletter.matching.topics.revisions import SavedRevision, TopicChange, TopicDraft
from newsletter.matching.workshop import followers

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="NAME", help="The topic's name.")]
Query = Annotated[str, typer.Option("--query", help="What to look for: see docs/queries.md.")]
Description = Annotated[
    str | None,
    typer.Option(
        "--description", metavar="TEXT", help="What it is about, for subscribers: one line, at most 200 characters."
    ),
]
Packs = Annotated[
    str,
    typer.Option("--packs", metavar="PACK,…", help="Alias packs whose spellings match too; 'all' or 'none'."),
]
Without = Annotated[list[str] | None, typer.Option("--without", metavar="SPELLING", help="Switch a spelling off.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, however many items it brings.")]
Days = Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")]


@app.command(
    epilog=example(
        "topics add Uyghur --query Uyghur --description 'Uyghur life, language and culture'",
        "topics add Uyghur --pack peoples:uyghur",
    )
)
def add(
    name: Name,
    query: Query = "",
    description: Description = None,
    pack: Annotated[str, typer.Option(help="Use a group of an alias pack instead, as PACK:GROUP.")] = "",
    packs: Packs = "all",
    without: Without = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Add a topic. New items that match are mailed; stored ones are not."""
    ready()
    if bool(query) == bool(pack):
        misuse("give either --query or --pack")
    draft = or_fail(revisions.new_draft(query or _from_pack(pack), packs=_names(packs), off=tuple(without or ())))
    _hint(draft)
    effect = preview.preview_draft(draft, now=db.now())
    confirm_large_change(effect, yes)
    made = or_fail(
        topics.add_draft(name, draft, now=db.now(), actor=actor.from_command(), description=description or "")
    )
    _saved(name, made, effect, json, "added")


@app.command(epilog=example("topics show Uyghur"))
def show(name: Name, json: Json = False) -> None:
    """Show a topic, and the spellings that subscribers say bring wrong items."""
    ready()
    shown = topic_status.find_status(name, small_number=_small())
    if shown is None:
        fail("there is no such topic: see 'newsletter topics list'")
    noisy = reader_feedback.noisy_spellings(shown.topic_id)
    parts = followers.shown(followers.count_followers(shown.topic_id, now=db.now()), small_number=_small())
    [row] = topic_list.topic_rows(now=db.now(), small_number=None, topic_ids=[shown.topic_id])
    lines = [
        f"{shown.name} (topic {shown.topic_id}, revision {shown.revision}, {row.condition.word})",
        *([row.condition.advice] if row.condition.advice else []),
        *([shown.description] if shown.description else []),
        f"query: {shown.query}",
        f"packs: {_packs(shown.packs)}" + (f"; without {', '.join(shown.without)}" if shown.without else ""),
        f"{counted(shown.matches, 'item')} matched, followed by {shown.followers}",
        f"followers: {parts.mailed} would be mailed, {parts.paused} paused, {parts.suppressed} suppressed, "
        f"{parts.waiting} waiting for confirmation",
    ]
    for spelling in noisy:
        where = f" ({spelling.pack})" if spelling.pack else ""
        lines.append(
            f"noisy: {spelling.spelling}{where}: {counted(spelling.objections, 'objection')} to "
            f"{counted(spelling.matches, 'item')}"
        )
        lines += [f"  {sample.objections} to item {sample.item_id}: {sample.title}" for sample in spelling.worst]
    if any(spelling.pack for spelling in noisy):
        lines.append("'newsletter topics edit NAME --without SPELLING' switches a spelling off")
    result({"topic": shown, "followers": parts, "noisy": noisy}, json, *lines)


@app.command(
    epilog=example(
        "topics edit Uyghur --query 'Uyghur OR \"East Turkestan\"'",
        "topics edit Uyghur --without Uigur",
        "topics edit Uyghur --packs peoples,institutions",
        "topics edit Uyghur --description 'Uyghur life, language and culture'",
    )
)
def edit(
    name: Name,
    query: Query = "",
    description: Description = None,
    packs: Packs = "",
    without: Without = None,
    with_: Annotated[
        list[str] | None, typer.Option("--with", metavar="SPELLING", help="Switch a spelling on again.")
    ] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Change a topic, and show what that does.

    The topic takes the alias packs as they are now. Nobody is mailed old items.
    """
    ready()
    change = TopicChange(query or None, _names(packs) if packs else None, tuple(without or ()), tuple(with_ or ()))
    if description is not None and change == TopicChange():
        described = or_fail(topics.set_description(name, description, now=db.now(), actor=actor.from_command()))
        result(described, json, f"topic {name} ({described.topic_id}) has a new description")
        return
    if refusal := lookup.description_problem(description or ""):
        fail(refusal.reason)
    _save(name, or_fail(revisions.changed_draft(name, change)), yes, json, "changed")
    if description is not None:
        or_fail(topics.set_description(name, description, now=db.now(), actor=actor.from_command()))


@app.command("preview", epilog=example("topics preview --query 'cable AND sea' --days 30", "topics preview Uyghur"))
def show_preview(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A topic; with --query, as it would become.")] = "",
    query: Query = "",
    days: Days = 90,
    json: Json = False,
) -> None:
    """Show which stored items a topic or query matches, or what a new query would change.

    Nothing is stored or mailed.
    """
    ready()
    if not name and not query:
        misuse("give a topic's name, or --query, or both")
    if not name:
        effect = preview.preview_draft(or_fail(revisions.new_draft(query)), now=db.now(), days=days)
    elif not query:
        effect = or_fail(preview.preview_topic(name, None, now=db.now(), small_number=_small(), days=days))
    else:
        draft = or_fail(revisions.changed_draft(name, TopicChange(query)))
        effect = or_fail(preview.preview_topic(name, draft, now=db.now(), small_number=_small(), days=days))
    result(effect, json, *describe_preview(effect))


@app.command(epilog=example("topics history Uyghur"))
def history(name: Name, json: Json = False) -> None:
    """Show all revisions of a topic."""
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
    table(or_fail(revisions.history(name)), json, columns, empty="")


@app.command(epilog=example("topics revert Uyghur 1"))
def revert(
    name: Name,
    n: Annotated[int, typer.Argument(metavar="N", min=1, help="The revision to go back to.")],
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Restore revision N of a topic, as a new revision."""
    ready()
    _save(name, or_fail(revisions.restored_draft(name, n)), yes, json, f"restored as it was in revision {n}")


def _save(name: str, draft: TopicDraft, yes: bool, json: bool, what: str) -> None:
    _hint(draft)
    effect = or_fail(preview.preview_topic(name, draft, now=db.now(), small_number=_small()))
    if not json:
        result(None, False, *describe_preview(effect))
    confirm_large_change(effect, yes)
    _saved(
        name, or_fail(revisions.save_draft(name, draft, now=db.now(), actor=actor.from_command())), effect, json, what
    )


def _saved(name: str, made: SavedRevision, effect: preview.TopicPreview, json: bool, what: str) -> None:
    document = {"topic_id": made.topic_id, "revision": made.revision, "preview": effect}
    result(document, json, f"topic {name} ({made.topic_id}) {what}")
    if not json:
        note("New articles will be mailed. Stored articles are matched again within a minute but not mailed.")


def _hint(draft: TopicDraft) -> None:
    for spelling, better in groups.unmet_names(parse(draft.query), draft.query, draft.groups):
        note(f"hint: the packs have other spellings of {spelling}; write {better} to match them too")


def _small() -> int:
    return wiring.config().small_number


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
