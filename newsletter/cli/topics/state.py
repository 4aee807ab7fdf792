"""Commands that hold, release and retire topics, and mark them urgent."""

from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, ask, counted, example, or_fail, result
from newsletter.cli.service.migrations import ready
from newsletter.cli.topics.commands import Name
from newsletter.lib import db
from newsletter.lib.small_numbers import people_count
from newsletter.matching.topics import hold, topics
from newsletter.matching.topics import merge as merging
from newsletter.matching.topics import restore as restoring

app = typer.Typer()


@app.command("hold", epilog=example("topics hold Uyghur"))
def hold_topic(name: Name, json: Json = False) -> None:
    """Collect a topic's matches without mailing them, until you release it."""
    ready()
    held = or_fail(hold.hold(name, now=db.now(), actor=actor.from_command()))
    waiting = counted(held.waiting, "match waits", "matches wait")
    result(held, json, f"topic {name} ({held.topic_id}) is on hold: {waiting}, and new ones are collected")


@app.command(epilog=example("topics release Uyghur", "topics release Uyghur --mail"))
def release(
    name: Name,
    mail: Annotated[bool, typer.Option("--mail", help="Also mail what was collected during the hold.")] = False,
    json: Json = False,
) -> None:
    """End a hold.

    Matches from before the hold are mailed; those collected during it only with --mail.
    """
    ready()
    done = or_fail(hold.release(name, mail=mail, now=db.now(), actor=actor.from_command()))
    owed = counted(done.owed, "match will be mailed", "matches will be mailed")
    result(done, json, f"topic {name} ({done.topic_id}) is released: {owed}, {done.dropped} will not")


@app.command(epilog=example("topics retire Uyghur --yes"))
def retire(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, json: Json = False
) -> None:
    """Stop a topic and end its subscriptions."""
    ready()
    if not yes:
        ask("End this topic and all its subscriptions?", "add --yes to end it and all its subscriptions")
    retired = or_fail(topics.retire_topic(name, now=db.now(), actor=actor.from_command()))
    result(retired, json, f"topic {name} ({retired.topic_id}) retired")


@app.command(epilog=example("topics restore Uyghur"))
def restore(name: Name, json: Json = False) -> None:
    """Match a retired topic again, as a new revision. Its subscriptions stay ended."""
    ready()
    restored = or_fail(restoring.restore_topic(name, now=db.now(), actor=actor.from_command()))
    result(restored, json, f"topic {name} ({restored.topic_id}) is matched again; nobody follows it yet")


@app.command(epilog=example("topics merge Uighurs Uyghur --yes"))
def merge(
    name: Name,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The topic that its followers get instead.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Retire a topic and move its followers to another one. Each is told by one mail.

    What was due still comes. Who follows both keeps the other subscription as it is.
    """
    ready()
    if not yes:
        ask("Move its followers, tell each by mail, and retire it?", "add --yes to move its followers and retire it")
    merged = or_fail(
        merging.merge_topic(name, into, now=db.now(), actor=actor.from_command(), move=wiring.move_followers)
    )
    moved = people_count(merged.moved + merged.both, threshold=wiring.config().small_number)
    shown = {"topic_id": merged.topic_id, "into_id": merged.into_id, "followers": moved}
    result(
        shown,
        json,
        f"topic {name} ({merged.topic_id}) is part of {into}: {moved} followers moved, each is told by mail",
    )


@app.command(epilog=example("topics urgent Uyghur", "topics urgent Uyghur --off"))
def urgent(
    name: Name,
    off: Annotated[bool, typer.Option("--off", help="Make it an ordinary topic again.")] = False,
    json: Json = False,
) -> None:
    """Mark a topic urgent: an alert that stays in doubt for two hours is sent once more.

    Alerts of other topics wait for you.
    """
    ready()
    or_fail(topics.set_urgent(name, not off, now=db.now(), actor=actor.from_command()))
    now_is = "an ordinary topic" if off else "urgent: alerts in doubt are sent once more after two hours"
    result({"topic": name, "urgent": not off}, json, f"topic {name} is {now_is}")
