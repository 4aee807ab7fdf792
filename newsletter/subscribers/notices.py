"""Writing a notice, within the limits that keep our mail from being used against a mailbox."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.models import Notice, Subscriber
from newsletter.subscribers.choices import Choices, write
from newsletter.vault import Vault, new_nonce

#: How long the link of each kind works.
VALID = {
    Notice.Kind.CONFIRM: timedelta(days=7),
    Notice.Kind.ADD: timedelta(days=7),
    Notice.Kind.MANAGE: timedelta(hours=24),
}
#: Notices of the whole service in one hour. More is somebody using our form against others.
HOURLY = 2000


@dataclass(frozen=True)
class Limit:
    """How many unanswered notices one person may be sent."""

    in_a_day: int
    in_30_days: int


#: Anybody can type anybody's address.
STRANGER = Limit(in_a_day=1, in_30_days=3)
#: Who holds one of the person's own mails.
HOLDER = Limit(in_a_day=3, in_30_days=20)


def flooded(now: datetime) -> bool:
    """True when the whole service has written `HOURLY` notices within the hour."""
    nth = Notice.objects.order_by("-id").values_list("created_at", flat=True)[HOURLY - 1 : HOURLY]
    return any(created_at > now - timedelta(hours=1) for created_at in nth)


def within(limit: Limit, person: Subscriber, kinds: tuple[Notice.Kind, ...], now: datetime) -> bool:
    """True when one more notice of these kinds may be sent. One that was answered does not count: its owner wanted it."""
    sent = list(
        Notice.objects.filter(
            subscriber=person, kind__in=kinds, used_at=None, created_at__gt=now - timedelta(days=30)
        ).values_list("created_at", flat=True)
    )
    today = sum(moment > now - timedelta(days=1) for moment in sent)
    return today < limit.in_a_day and len(sent) < limit.in_30_days


def create(person: Subscriber, kind: Notice.Kind, choices: Choices | None, *, now: datetime, vault: Vault) -> Notice:
    """A notice that is still to be planned; the choices are sealed under its nonce."""
    nonce = new_nonce()
    notice = Notice(subscriber=person, kind=kind, nonce=nonce, created_at=now, expires_at=now + VALID[kind])
    if choices is not None:
        notice.key_id, notice.choices_cipher = vault.seal(write(choices), handle=nonce, column="choices")
    notice.save(force_insert=True)
    return notice


def replace_choices(person: Subscriber, kind: Notice.Kind, choices: Choices, *, now: datetime, vault: Vault) -> None:
    """Seal these choices into the newest outstanding notice of this kind: what was typed last wins, without another mail."""
    notice = (
        Notice.objects.filter(subscriber=person, kind=kind, used_at=None, expires_at__gt=now).order_by("-id").first()
    )
    if notice is None:
        return
    notice.key_id, notice.choices_cipher = vault.seal(write(choices), handle=bytes(notice.nonce), column="choices")
    notice.save(update_fields=["key_id", "choices_cipher"])
