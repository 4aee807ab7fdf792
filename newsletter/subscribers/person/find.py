"""Find one person by their full address, for a reason that is recorded. There is no list and no search."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, reason_problem, record
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.lib.refused import Refused
from newsletter.subscribers import people
from newsletter.subscribers.email_address import index_of


@dataclass(frozen=True)
class FoundPerson:
    """Who has the address. `subscriber_id` None: nobody; then `suppressed` may still say why the address is not mailed."""

    subscriber_id: int | None
    suppressed: str | None = None


def look_up(address: Address, *, vault: Vault) -> FoundPerson:
    """Who has this address, for a command that is about to act on it."""
    person = people.find(address, vault)
    suppression = people.suppression(index_of(address, vault))
    return FoundPerson(person.id if person else None, suppression.reason if suppression else None)


def find_person(address: Address, reason: str, *, now: datetime, vault: Vault, actor: Actor) -> FoundPerson | Refused:
    """Look an address up, and record who did so and why; never the address."""
    if problem := reason_problem(reason):
        return problem
    with transaction.atomic():
        found = look_up(address, vault=vault)
        record(actor, "subscriber.open", person_thing(found.subscriber_id), now=now, reason=reason.strip())
    return found


def person_thing(subscriber_id: int | None) -> Thing:
    """A person as the audit log names them: by number."""
    return Thing("subscriber", subscriber_id)
