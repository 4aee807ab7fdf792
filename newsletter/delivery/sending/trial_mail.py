"""One mail to show that a provider works: in the form of every other mail, and beside the ledger, so that no sum counts it."""

import html
import secrets
from datetime import datetime

from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.delivery.gates.provider_gate import thing_of
from newsletter.lib.mail.provider_interface import Accepted, Address, Letter, Outcome, Parcel, Provider


def send_test(
    provider: Provider, address: Address, letter: Letter, *, domain: str, now: datetime, actor: Actor
) -> Outcome:
    """Hand one mail over and return what the provider answered; the audit log says that, and not to whom."""
    token = secrets.token_hex(12)
    parcel = Parcel(0, address, letter, {}, f"test-{token}@{domain}", f"test-{token}")
    outcome = provider.hand_over([parcel])[0]
    after = {"outcome": type(outcome).__name__.lower()}
    record(actor, "provider.test", thing_of(provider.number), now=now, after=after)
    return outcome


def letter_of_test(organisation: str, provider: str, now: datetime) -> Letter:
    """The words of a test mail, in English like the desk. It is no list mail and asks for nothing."""
    lines = (
        f"This is a test mail of {organisation}, sent by {provider} on {now.day} {now:%B %Y at %H:%M} UTC.",
        "If you can read it, mail leaves. Look at where it arrived, in the inbox or in spam, and in its source at what the "
        "receiving server says about SPF, DKIM and DMARC (Authentication-Results).",
        "Nobody else got it, and nothing was subscribed.",
    )
    body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    page = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test mail</title></head><body>{body}</body></html>'
    return Letter(0, "notice", f"Test mail of {organisation}", "\n\n".join(lines) + "\n", page)


def outcome_words(outcome: Outcome) -> tuple[bool, str]:
    """Whether the provider took it, and what it answered, in its codes."""
    if isinstance(outcome, Accepted):
        return True, outcome.ref or ""
    return False, outcome.reason
