"""Commands for addresses that are not mailed. No command prints an address back."""

from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, example, fail, misuse, note, result, table
from newsletter.cli.service.migrations import ready
from newsletter.cli.subscribers.address import AddressArgument, read_address
from newsletter.delivery.feedback import suppression_list
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import Suppression
from newsletter.subscribers.email_address import index_of

app = typer.Typer()


@app.command("list", epilog=example("suppressions list", "suppressions list --reason 'soft bounces'"))
def list_suppressions(
    reason: Annotated[str, typer.Option(help="Only those with this reason.")] = "",
    lifted: Annotated[bool, typer.Option("--lifted", help="Show lifted ones instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    json: Json = False,
) -> None:
    """List the addresses that must not be mailed, by an id that reveals nobody, with the reason."""
    ready()
    if reason and reason not in Suppression.Reason.values:
        misuse(f"--reason is one of {', '.join(Suppression.Reason.values)}")
    columns = {
        "ID": lambda row: row.id,
        "Reason": lambda row: row.reason,
        "Since": lambda row: row.since,
        "Reported by": lambda row: row.provider,
        "For good": lambda row: "yes" if row.sticky else "",
        "Lifted": lambda row: row.lifted_at or "",
    }
    rows = suppression_list.list_suppressions(reason=reason, lifted=lifted, limit=limit)
    table(rows, json, columns, empty="No suppressions.")


@app.command(epilog=example("suppressions add"))
def add(address: AddressArgument = "-", json: Json = False) -> None:
    """Never mail this address, until the person confirms again or you lift it."""
    ready()
    index = index_of(read_address(address), wiring.vault())
    added = suppression_list.add(index, now=db.now(), actor=actor.from_command())
    document = {"id": suppression_list.short_id(index), "added": added}
    result(document, json, "suppressed" if added else "already suppressed: see 'newsletter suppressions list'")


@app.command(epilog=example("suppressions lift", "suppressions lift 3f9c2a7be1d04c55"))
def lift(
    address: Annotated[
        str,
        typer.Argument(
            metavar="[ADDRESS|ID]",
            help="The address (asked for if you leave it out), or an id from 'suppressions list'.",
        ),
    ] = "-",
    json: Json = False,
) -> None:
    """Allow mail to an address again. Complaints and erasure stay for good."""
    ready()
    is_id = address != "-" and "@" not in address
    index = suppression_list.find_by_short_id(address) if is_id else index_of(read_address(address), wiring.vault())
    if index is None:
        fail("there is no such ID: see 'newsletter suppressions list'")
    done = suppression_list.lift(index, now=db.now(), actor=actor.from_command())
    if isinstance(done, Refused):
        fail(done.reason)
    result(
        {"id": suppression_list.short_id(index), "lifted": True, "reason": done.reason},
        json,
        f"lifted; the reason was: {done.reason}",
    )
    if done.reason == Suppression.Reason.UNSUBSCRIBE:
        note("Their subscriptions ended with it and are not restored.")
