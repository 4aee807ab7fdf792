"""Limit how often one mailbox is mailed because somebody typed its address, or holds one of its mails.

After each unanswered mail the next one has to wait longer. An answer, or 30 days without mail, resets the count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import MailboxLimit, SignUpRequest
from newsletter.subscribers.email_address import index_of

Kind = SignUpRequest.Kind
_AT_ONCE, _DAY = timedelta(0), timedelta(days=1)
#: How long after the first, second, … unanswered mail the next may go; the last stands for all later ones. No wait of a
#: sign-up is longer than a confirmation link works: at any time the mailbox holds one that does.
WAITS: Final = {
    Kind.SIGN_UP: (_DAY, 3 * _DAY, 7 * _DAY),
    Kind.LINK: (_DAY, 3 * _DAY, 7 * _DAY),
    Kind.HOLDER: (_AT_ONCE, _AT_ONCE, _DAY, 2 * _DAY),
}
#: After this long without a mail the count starts from nothing.
KEPT: Final = timedelta(days=30)


def mailbox_of(address: Address) -> str:
    """The mailbox behind an address: in lower case, without plus-tag, and without dots at Gmail. Only counted, never mailed."""
    local, _, domain = address.value.casefold().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}"


def index_of_mailbox(address: Address, vault: Vault) -> bytes:
    """The keyed hash under which a mailbox is counted."""
    return vault.blind_index("mailbox", mailbox_of(address))


def count_mail(mailbox: bytes, kind: Kind, *, now: datetime) -> datetime | None:
    """Count one more mail and return None if it may be sent now; else return when one may. Inside the caller's transaction."""
    limit, created = MailboxLimit.objects.select_for_update().get_or_create(
        mailbox=mailbox, kind=kind, defaults={"sent": 1, "last_at": now}
    )
    if created:
        return None
    waits = WAITS[kind]
    free_at: datetime = limit.last_at + waits[min(limit.sent, len(waits)) - 1]
    if now < free_at:
        return free_at
    limit.sent = 1 if now >= limit.last_at + KEPT else min(limit.sent + 1, len(waits))
    limit.last_at = now
    limit.save(update_fields=["sent", "last_at"])
    return None


@dataclass(frozen=True)
class RateLimited:
    """A request has to wait, because its mailbox may be mailed again only at `until`."""

    #: Keyed hash of the address: a later request for the same address replaces an earlier one.
    address: bytes
    until: datetime
    #: Whether the address has no plus-tag. Anybody can make up tags, so requests for the address itself come first.
    plain: bool


def rate_limited(address: Address, until: datetime, vault: Vault) -> RateLimited:
    """The value for a request for this address that has to wait."""
    return RateLimited(index_of(address, vault), until, "+" not in address.value.rpartition("@")[0])


def reset(address: Address, kinds: Sequence[Kind], vault: Vault) -> None:
    """Somebody who reads this mailbox answered: reset its counts of these kinds, and drop requests that wait for the address."""
    MailboxLimit.objects.filter(mailbox=index_of_mailbox(address, vault), kind__in=kinds).delete()
    _drop(SignUpRequest.objects.filter(address=index_of(address, vault), kind__in=kinds))


def drop_waiting(address: Address, vault: Vault) -> None:
    """Somebody who reads this mailbox wants no mail: drop all requests that wait for the address. The counts stay."""
    _drop(SignUpRequest.objects.filter(address=index_of(address, vault)))


def _drop(waiting: QuerySet[SignUpRequest]) -> None:
    # A locked request is being decided by a worker, which waits for the person: to wait for it would be a deadlock.
    ids = list(waiting.select_for_update(skip_locked=db.is_postgres()).values_list("id", flat=True))
    SignUpRequest.objects.filter(id__in=ids).delete()


def prune(now: datetime) -> int:
    """Delete limits that have expired; returns rows."""
    return expired(now).delete()[0]


def expired(now: datetime) -> QuerySet[MailboxLimit]:
    """The rows that are kept no longer."""
    return MailboxLimit.objects.filter(last_at__lt=now - KEPT)
