"""Commands that count, show and erase subscribers. No command prints an address or a keyword back."""

from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, ask, example, fail, result, when
from newsletter.cli.service.migrations import ready
from newsletter.cli.subscribers.address import AddressArgument, read_address
from newsletter.lib import db
from newsletter.models import Cadence
from newsletter.subscribers import lookup_and_erase

app = typer.Typer()


@app.command("list", epilog=example("subscribers list"))
def list_subscribers(json: Json = False) -> None:
    """Count subscribers by state. No command lists who they are."""
    ready()
    counts = lookup_and_erase.counts()
    result(
        counts,
        json,
        *(f"{count:6} {state}" for state, count in counts.items()),
        "There is no list of people: addresses are encrypted, and no command prints one.",
        "If you know an address, 'newsletter subscribers show' shows what is stored about it.",
    )


@app.command(epilog=example("subscribers show"))
def show(address: AddressArgument = "-", json: Json = False) -> None:
    """Show what is stored about the person with this address."""
    ready()
    shown = lookup_and_erase.show(read_address(address), vault=wiring.vault())
    if shown is None:
        fail("nothing is stored under this address")
    lines = [
        f"subscriber {shown.subscriber_id or '-'}: {shown.state}, suppressed: {shown.suppressed or 'no'}",
        f"since {when(shown.created_at)}, confirmed {when(shown.confirmed_at)}, {shown.zone} {shown.hour:02}:00",
    ]
    for subscription in shown.subscriptions:
        ended = f", ended {when(subscription.ended_at)} ({subscription.ended_reason})" if subscription.ended_at else ""
        what = subscription.words or "a keyword of their own"
        lines.append(f"  {what}: {Cadence(subscription.cadence).name.lower()}, from {subscription.source}{ended}")
    result(shown, json, *lines)


@app.command(epilog=example("subscribers erase --yes"))
def erase(
    address: AddressArgument = "-",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Erase a person for good. A keyed hash stays, so that the address is never mailed again."""
    ready()
    plain = read_address(address)
    if not yes:
        ask("Erase this person, and never mail this address again?", "add --yes to erase this person for good")
    if not lookup_and_erase.erase(
        plain, now=db.now(), vault=wiring.vault(), forget=wiring.forget, actor=actor.from_command()
    ):
        fail("nothing is stored under this address")
    result({"erased": True}, json, "Erased. This address is never mailed again.")
