"""The gate: may anything be sent, and do the keys at hand fit the data."""

from datetime import datetime
from uuid import uuid4

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from newsletter.lib.crypto import KeysDoNotFit, Vault, constant_time_equal
from newsletter.models import ClosedFor, Gate

log = structlog.get_logger()

_WORD = "newsletter"


def create_gate(vault: Vault) -> None:
    """Make the gate the first time, with words sealed under the keys of that day.

    Raises:
        KeysDoNotFit: the keys at hand are not those that sealed this data.
    """
    if not Gate.objects.exists():
        epoch = uuid4()
        key_id, cipher = vault.encrypt(_WORD, handle=epoch.bytes, column="check")
        Gate.objects.bulk_create(
            [
                Gate(
                    installation_epoch=epoch,
                    check_key_id=key_id,
                    check_cipher=cipher,
                    check_index=vault.blind_index("check", _WORD),
                    check_token=vault.token("check", 1),
                )
            ],
            ignore_conflicts=True,  # another process was first: then its keys are checked
        )
    check_keys(vault)


def check_keys(vault: Vault) -> None:
    """Compare the keys with those that sealed this data.

    Raises:
        KeysDoNotFit: says which key is the wrong one.
    """
    gate = Gate.objects.get()
    vault.decrypt(gate.check_key_id, gate.check_cipher, handle=gate.installation_epoch.bytes, column="check")
    if not constant_time_equal(vault.blind_index("check", _WORD), gate.check_index):
        raise KeysDoNotFit("the index key in NEWSLETTER_ADDRESS_KEYS is not the one that this data was made with")
    if not constant_time_equal(vault.token("check", 1).encode(), gate.check_token.encode()):
        raise KeysDoNotFit(
            "NEWSLETTER_SECRET_KEY is not the one that this data was made with: links already mailed would die"
        )


def pause(why: str, *, only_if_open: bool = False) -> None:
    """Close the gate: nothing passes the barrier until `resume`. `why` is shown to operators.

    `only_if_open`: we close it, not an operator. It is told once for each closing, however often the reason is met again.
    A doubt about the data stands until it is confirmed: other words for it would let it be forgotten.
    """
    why_closed = ClosedFor.REPUTATION if only_if_open else ClosedFor.OPERATOR
    doubted = Q(sending_open=False, closed_for=ClosedFor.RESTORED)
    gates = Gate.objects.filter(sending_open=True) if only_if_open else Gate.objects.exclude(doubted)
    if gates.update(sending_open=False, paused_by=why, closed_for=why_closed) and only_if_open:
        log.error("sending_paused", reason=why)


def resume() -> None:
    """Open the gate. What closed it is looked at afresh: only what happens from now on can close it again."""
    Gate.objects.update(sending_open=True, paused_by=None, closed_for=None, opened_at=Now())


def pause_reason() -> str | None:
    """Why sending is paused, None when it is not."""
    gate = Gate.objects.filter(sending_open=False).first()
    return (gate.paused_by or "an operator") if gate else None


def refusal_words(reason: str, now: datetime) -> str:
    """What is written into the gate when a provider refuses us altogether."""
    return f"the provider refused us ({reason}) at {now:%Y-%m-%d %H:%M} UTC"
