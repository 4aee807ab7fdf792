"""Limit how often one mailbox is mailed because somebody typed its address, or holds one of its mails.

After each mail that nobody answered the next has to wait longer. An answer, or 30 quiet days, starts again from nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from newsletter.lib.crypto import Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import MailboxLimit, SignUpRequest

Kind = SignUpRequest.Kind
_AT_ONCE, _DAY = timedelta(0), timedelta(days=1)
#: How long after the first, second, … unanswered mail the next may go; the last stands for all later ones. No wait of a
#: sign-up is longer than a confirmation link works: at any time the mailbox holds one that does.
WAITS: Final = {
    Kind.SIGN_UP: (_DAY, 3 * _DAY, 7 * _DAY),
    Kind.LINK: (_DAY, 3 * _DAY, 7 * _DAY),
    Kind.HOLDER: (_AT_ONCE, _AT_ONCE, _DAY, 2 * _DAY),
}
#: Quiet for so long, it is forgotten.
KEPT: Final = timedelta(days=30)


def mailbox_of(address: Address) -> str:
    """The mailbox behind an address: without plus-tag, in lower case, for Gmail without dots. Never mailed to."""
    local, _, domain = address.value.casefold().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}"


def index_of_mailbox(address: Address, vault: Vault) -> bytes:
    """The keyed hash under which a mailbox is counted."""
    return vault.blind_index("mailbox", mailbox_of(address))


def count_mail(mailbox: bytes, kind: Kind, *, now: datetime) -> datetime | None:
    """Count one more mail if it may go now; else return when one may. Inside the caller's transaction."""
    limit, made = MailboxLimit.objects.select_for_update().get_or_create(
        mailbox=mailbox, kind=kind, defaults={"sent": 1, "last_at": now}
    )
    if made:
        return None
    waits = WAITS[kind]
    free_at: datetime = limit.last_at + waits[min(limit.sent, len(waits)) - 1]
    if now < free_at:
        return free_at
    limit.sent = 1 if now >= limit.last_at + KEPT else min(limit.sent + 1, len(waits))
    limit.last_at = now
    limit.save(update_fields=["sent", "last_at"])
    return None


def forget(mailbox: bytes, kinds: Sequence[Kind]) -> None:
    """Somebody who reads this mailbox answered: count from nothing, and drop requests of these kinds that wait for it."""
    MailboxLimit.objects.filter(mailbox=mailbox, kind__in=kinds).delete()
    SignUpRequest.objects.filter(mailbox=mailbox, kind__in=kinds).delete()


def drop_waiting(mailbox: bytes) -> None:
    """Somebody who reads this mailbox wants no mail: drop all requests that wait for it, and go on counting."""
    SignUpRequest.objects.filter(mailbox=mailbox).delete()


def prune(now: datetime) -> int:
    """Delete what counts no longer; returns rows."""
    return expired(now).delete()[0]


def expired(now: datetime) -> QuerySet[MailboxLimit]:
    """The rows that are kept no longer."""
    return MailboxLimit.objects.filter(last_at__lt=now - KEPT)
