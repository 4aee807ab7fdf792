"""The command that sends one mail by a provider, to see that it arrives. It does not print the address back."""

from typing import Annotated

import typer

from newsletter import delivery_wiring, wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, example, fail, result
from newsletter.cli.sending.commands import configured_provider
from newsletter.cli.service.migrations import ready
from newsletter.cli.subscribers.address import AddressArgument, read_address
from newsletter.delivery.sending.trial_mail import letter_of_test, outcome_words, send_test
from newsletter.lib import db

app = typer.Typer()


@app.command("test", epilog=example("sending test", "sending test --provider smtp-2"))
def test_mail(
    address: AddressArgument = "-",
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="The provider, by its name in 'sending list'; the first if left out.")
    ] = "",
    json: Json = False,
) -> None:
    """Send a test mail to an address, by one provider. It is in no ledger and no sum."""
    ready()
    chosen = configured_provider(provider) if provider else wiring.config().providers[0]
    to, now = read_address(address), db.now()
    carrier = delivery_wiring.test_provider(chosen)
    try:
        letter = letter_of_test(wiring.config().organisation, chosen.name, now)
        outcome = send_test(
            carrier, to, letter, domain=wiring.mail_sender().domain, now=now, actor=actor.from_command()
        )
    finally:
        carrier.close()
    taken, words = outcome_words(outcome)
    if not taken:
        fail(f"{chosen.name} did not take it: {words}")
    result({"provider": chosen.name, "reference": words}, json, f"{chosen.name} took the test mail ({words})")
