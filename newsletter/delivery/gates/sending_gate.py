"""The gate over all sending: pause and resume it, and check that the keys at hand fit the data."""

from datetime import datetime
from uuid import uuid4

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, reason_problem, record_difference
from newsletter.lib.crypto import KeysDoNotFit, Vault, constant_time_equal
from newsletter.lib.refused import Refused
from newsletter.models import ClosedFor, Gate

log = structlog.get_logger()

_WORD = "newsletter"
#: All mail, in the audit log.
ALL_MAIL = Thing("sending")


def create_gate(vault: Vault) -> None:
    """Create the gate the first time, with a word encrypted under the keys of that day.

    Raises:
        KeysDoNotFit: the keys at hand are not those that encrypted this data.
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
    """Compare the keys with those that encrypted this data.

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


def pause(why: str, *, now: datetime, actor: Actor, only_if_open: bool = False) -> Refused | None:
    """Close the gate: no attempt starts until `resume`. `why` is shown to operators.

    `only_if_open`: we close it, not an operator. It is logged once for each closing, however often the reason recurs.
    A doubt about the data stays until it is confirmed: another reason in its place would let it be forgotten. Returns why
    `why` cannot be kept, and pauses nothing then; otherwise None.
    """
    if not only_if_open and (problem := reason_problem(why)):
        return problem
    why_closed = ClosedFor.REPUTATION if only_if_open else ClosedFor.OPERATOR
    in_doubt = Q(sending_open=False, closed_for=ClosedFor.RESTORED)
    gates = Gate.objects.filter(sending_open=True) if only_if_open else Gate.objects.exclude(in_doubt)
    with transaction.atomic():
        gate = gates.select_for_update().first()
        if gate is None:
            return None
        gates.update(sending_open=False, paused_by=why, closed_for=why_closed)
        after = {"open": False, "because": why}
        typed = "" if only_if_open else why
        record_difference(actor, "sending.pause", ALL_MAIL, now=now, before=_shown(gate), after=after, reason=typed)
    if only_if_open:
        log.error("sending_paused", reason=why)
    return None


def resume(*, now: datetime, actor: Actor, action: str = "sending.resume") -> None:
    """Open the gate. Only what happens from now on can close it again."""
    with transaction.atomic():
        gate = Gate.objects.select_for_update().get()
        Gate.objects.update(sending_open=True, paused_by=None, closed_for=None, opened_at=Now())
        after = {"open": True, "because": None}
        record_difference(actor, action, ALL_MAIL, now=now, before=_shown(gate), after=after)


def _shown(gate: Gate) -> dict[str, object]:
    return {"open": gate.sending_open, "because": gate.paused_by}


def pause_reason() -> str | None:
    """Why sending is paused. Returns None if it is not."""
    gate = Gate.objects.filter(sending_open=False).first()
    return (gate.paused_by or "an operator") if gate else None


def refusal_words(reason: str, now: datetime) -> str:
    """The reason for operators when a provider refuses us altogether."""
    return f"the provider refused us ({reason}) at {now:%Y-%m-%d %H:%M} UTC"
