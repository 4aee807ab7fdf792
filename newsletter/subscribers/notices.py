"""Write notices: mails about the subscription itself."""

from datetime import datetime, timedelta

from newsletter.lib.crypto import Vault, new_nonce
from newsletter.models import Notice, Subscriber
from newsletter.subscribers.choices import Choices, to_json

#: How long the link of each kind works. A notice that could not be mailed for this long is not mailed any more.
VALID = {
    Notice.Kind.CONFIRM: timedelta(days=7),
    Notice.Kind.ADD: timedelta(days=7),
    Notice.Kind.MANAGE: timedelta(hours=24),
    Notice.Kind.RESUMED: timedelta(days=7),
    # many are written at once, and go out as the day's cap allows
    Notice.Kind.MOVED: timedelta(days=21),
}


def create(person: Subscriber, kind: Notice.Kind, choices: Choices | None, *, now: datetime, vault: Vault) -> Notice:
    """Write a notice that is still to be planned. Its choices are encrypted under its nonce."""
    nonce = new_nonce()
    notice = Notice(subscriber=person, kind=kind, nonce=nonce, created_at=now, expires_at=now + VALID[kind])
    if choices is not None:
        notice.key_id, notice.choices_cipher = vault.encrypt(to_json(choices), handle=nonce, column="choices")
    notice.save(force_insert=True)
    return notice


def replace_choices(
    person: Subscriber, kind: Notice.Kind, choices: Choices, *, now: datetime, vault: Vault
) -> Notice | None:
    """Put these choices into the newest outstanding notice of this kind and return it; None if there is none."""
    outstanding = Notice.objects.filter(subscriber=person, kind=kind, used_at=None, expires_at__gt=now)
    notice = outstanding.order_by("-id").first()
    if notice is not None:
        nonce = bytes(notice.nonce)
        notice.key_id, notice.choices_cipher = vault.encrypt(to_json(choices), handle=nonce, column="choices")
        notice.save(update_fields=["key_id", "choices_cipher"])
    return notice


def unanswered_since(person: Subscriber, kinds: tuple[Notice.Kind, ...], since: datetime) -> bool:
    """Whether the person was sent a notice of these kinds after `since`, and did not answer it."""
    return Notice.objects.filter(subscriber=person, kind__in=kinds, used_at=None, created_at__gt=since).exists()


def expire_confirmations(person: Subscriber, *, now: datetime) -> None:
    """Expire all links that would change what the person follows: confirmations and additions nobody pressed."""
    kinds = (Notice.Kind.CONFIRM, Notice.Kind.ADD)
    Notice.objects.filter(subscriber=person, kind__in=kinds, used_at=None, expires_at__gt=now).update(expires_at=now)


def announce_resumed(person: Subscriber, *, now: datetime, vault: Vault) -> Notice | None:
    """Write the notice that mail which had stopped has started again; None if one was written within a day."""
    if unanswered_since(person, (Notice.Kind.RESUMED,), now - timedelta(days=1)):
        return None
    return create(person, Notice.Kind.RESUMED, None, now=now, vault=vault)
