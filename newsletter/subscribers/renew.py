"""An expired link is worth one thing: a fresh one, to the same mailbox."""

from datetime import datetime

from django.db import transaction

from newsletter.models import Notice, Subscriber
from newsletter.subscribers import notices, people
from newsletter.subscribers.confirm import choices_of
from newsletter.subscribers.signup import Busy, Signed
from newsletter.subscribers.tokens import Wrong, find_notice
from newsletter.vault import Vault


def renew(token: str, *, now: datetime, vault: Vault) -> Signed | Busy | Wrong:
    """Write a new notice of the same kind and choices for an expired, unused one; the holder's limits apply."""
    with transaction.atomic():
        old = find_notice(token, vault)
        if old is None or old.used_at is not None or old.expires_at > now:
            return Wrong()
        if notices.flooded(now):
            return Busy()
        person = Subscriber.objects.select_for_update().get(id=old.subscriber_id)
        kind = Notice.Kind(old.kind)
        if people.for_good(people.suppression(bytes(person.address_index))) or person.state == Subscriber.State.LEFT:
            return Signed(None)
        if not notices.within(notices.HOLDER, person, (kind,), now):
            return Signed(None)
        choices = None if kind == Notice.Kind.MANAGE else choices_of(old, vault)
        return Signed(notices.create(person, kind, choices, now=now, vault=vault).id)
