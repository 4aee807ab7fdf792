"""The tokens in links: which row each one leads to.

`notice` is bound to a notice's nonce, `ask` and `unsubscribe` to a person's link epoch, `undo` to one moment of leaving.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.lib.crypto import Vault, constant_time_equal, link_epoch_check
from newsletter.models import Notice, Subscriber

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Above all ids.
_ID_LIMIT = 2**31


@dataclass(frozen=True)
class InvalidToken:
    """The link is not one of ours, or not for this page."""


@dataclass(frozen=True)
class Expired:
    """The link was ours, and is too old."""


@dataclass(frozen=True)
class Used:
    """The link was ours, and has been used already."""


def find_notice(token: str, vault: Vault) -> Notice | None:
    """The notice a token was mailed with, however old; None if there is none."""
    read = _read(token, "notice", vault)
    if read is None:
        return None
    notice_id, nonce = read
    notice = Notice.objects.filter(id=notice_id).select_related("subscriber").first()
    return notice if notice is not None and constant_time_equal(notice.nonce, nonce) else None


def find_subscriber(purpose: str, token: str, vault: Vault) -> Subscriber | None:
    """The person behind a lasting link of `purpose` (ask, unsubscribe), or None."""
    read = _read(token, purpose, vault)
    if read is None:
        return None
    subscriber_id, check = read
    person = Subscriber.objects.filter(id=subscriber_id).first()
    return person if person is not None and constant_time_equal(link_epoch_check(person.link_epoch), check) else None


def lasting_token(purpose: str, subscriber_id: int, link_epoch: int, vault: Vault) -> str:
    """The token of a lasting link (ask, unsubscribe) in a person's mails."""
    return vault.token(purpose, subscriber_id, link_epoch_check(link_epoch))


def undo_token(subscriber_id: int, left_at: datetime, vault: Vault) -> str:
    """The token that takes back what ended at `left_at`."""
    return vault.token("undo", subscriber_id, ((left_at - _EPOCH) // timedelta(microseconds=1)).to_bytes(8))


def read_undo(token: str, vault: Vault) -> tuple[int, datetime] | None:
    """(subscriber id, moment of leaving) of an undo token, or None."""
    read = _read(token, "undo", vault)
    if read is None:
        return None
    subscriber_id, microseconds = read
    try:
        return subscriber_id, _EPOCH + timedelta(microseconds=int.from_bytes(microseconds))
    except OverflowError:
        return None


def _read(token: str, purpose: str, vault: Vault) -> tuple[int, bytes] | None:
    read = vault.read_token(purpose, token)
    return read if read is not None and 0 < read[0] < _ID_LIMIT else None
