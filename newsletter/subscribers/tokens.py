"""Tokens of this room: which row each one leads to, and whether it may still be used.

`notice` is bound to a notice's nonce; `ask` and `unsubscribe` to a person's link epoch; `undo` to one moment of leaving.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.lib.crypto import Vault, constant_time_equal, link_epoch_check
from newsletter.models import Notice, Subscriber

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 2**31


@dataclass(frozen=True)
class Wrong:
    """The link is not one of ours, or not for this page."""


@dataclass(frozen=True)
class Expired:
    """The link was ours, and is too old."""


@dataclass(frozen=True)
class Used:
    """The link was ours, and has done its work already."""


def find_notice(token: str, vault: Vault) -> Notice | None:
    """The notice a token was mailed with, however old; None when there is none."""
    found = vault.read_token("notice", token)
    if found is None or not 0 < found[0] < _MOST:
        return None
    notice = Notice.objects.filter(id=found[0]).select_related("subscriber").first()
    return notice if notice is not None and constant_time_equal(notice.nonce, found[1]) else None


def find_subscriber(purpose: str, token: str, vault: Vault) -> Subscriber | None:
    """The person behind a lasting link of `purpose` (ask, unsubscribe), or None."""
    found = vault.read_token(purpose, token)
    if found is None or not 0 < found[0] < _MOST:
        return None
    person = Subscriber.objects.filter(id=found[0]).first()
    return person if person is not None and constant_time_equal(link_epoch_check(person.link_epoch), found[1]) else None


def lasting(purpose: str, subscriber_id: int, link_epoch: int, vault: Vault) -> str:
    """The token of a lasting link (ask, unsubscribe) in a person's mails."""
    return vault.token(purpose, subscriber_id, link_epoch_check(link_epoch))


def undo_token(subscriber_id: int, left_at: datetime, vault: Vault) -> str:
    """The token that takes back what ended at `left_at`."""
    return vault.token("undo", subscriber_id, ((left_at - _EPOCH) // timedelta(microseconds=1)).to_bytes(8))


def read_undo(token: str, vault: Vault) -> tuple[int, datetime] | None:
    """(subscriber id, moment of leaving) of an undo token, or None."""
    found = vault.read_token("undo", token)
    if found is None or not 0 < found[0] < _MOST:
        return None
    try:
        return found[0], _EPOCH + timedelta(microseconds=int.from_bytes(found[1]))
    except OverflowError:
        return None
