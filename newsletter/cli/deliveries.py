"""Commands for what was mailed, and for the gate."""

from typing import Annotated

import typer

from newsletter.cli.ready import ready
from newsletter.cli.show import Json, example, fail, misuse, result, table, when
from newsletter.delivery import gate, status
from newsletter.models import BatchState, DeliveryState

deliveries = typer.Typer(help="Deliveries: list, explain.", no_args_is_help=True)
sending = typer.Typer(help="Sending: pause, resume.", no_args_is_help=True)

_STATES = sorted({*BatchState.values, *DeliveryState.values})


@deliveries.command("list", epilog=example("deliveries list --state unknown"))
def list_deliveries(
    state: Annotated[str, typer.Option(help="Only those in this state.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    json: Json = False,
) -> None:
    """List deliveries by their reference. Nobody is named."""
    ready()
    if state and state not in _STATES:
        misuse(f"--state is one of {', '.join(_STATES)}")
    columns = {
        "Reference": lambda row: row.reference,
        "State": lambda row: row.state,
        "Occasion": lambda row: row.occasion,
        "Batch": lambda row: row.batch_id,
        "Why": lambda row: row.reason or "",
    }
    table(status.listing(state, limit), json, columns, empty="No deliveries.")


@deliveries.command(epilog=example("deliveries explain 7K3F-09QA-M"))
def explain(reference: str, json: Json = False) -> None:
    """Tell the story of the mail with this reference at its foot, without saying whose it is."""
    ready()
    story = status.explain(reference)
    if story is None:
        fail("there is no such reference: check it for typing errors (mails are kept on record for 14 days)")
    lines = [
        f"{story.reference}: {story.state}{f' ({story.reason})' if story.reason else ''}",
        f"for {story.occasion}, planned {when(story.planned_at)}, batch {story.batch_id}",
        *(f"  item {item} version {version}, for topics {list(topics)}" for item, version, topics in story.items),
        *(f"  attempt {row['n']} at {row['began_at']:%Y-%m-%d %H:%M}: {row['outcome']}" for row in story.attempts),
        *(f"  {row['kind']} at {row['at']:%Y-%m-%d %H:%M}: {row['detail']}" for row in story.events),
    ]
    result(story, json, *lines)


@sending.command(epilog=example("sending pause --why 'wrong postal address'"))
def pause(
    why: Annotated[str, typer.Option(help="Shown to everybody who asks for the status.")] = "an operator",
    json: Json = False,
) -> None:
    """Let no mail leave until 'sending resume'. Nothing is lost meanwhile."""
    ready()
    gate.pause(why)
    result({"sending": "paused", "why": why}, json, f"sending is paused ({why}): 'newsletter sending resume' opens it")


@sending.command(epilog=example("sending resume"))
def resume(json: Json = False) -> None:
    """Let mail leave again."""
    ready()
    gate.resume()
    result({"sending": "open"}, json, "sending is open")
