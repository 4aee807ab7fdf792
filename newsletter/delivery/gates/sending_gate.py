"""The gate: may anything be sent, and do the keys at hand fit the data."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from newsletter.delivery.gates import restore_guard
from newsletter.delivery.gates.restore_guard import Observed, Standing
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit, Vault, constant_time_equal
from newsletter.models import ClosedFor, Gate, Pulse

log = structlog.get_logger()

_WORD = "newsletter"
#: A database at which somebody looked so shortly ago is at work.
_LIVING = timedelta(minutes=2)
_LOOKS = 4
#: Where no file is beside the keys: the data, and how far it was when this process saw it first. Forgotten in a doubt.
_FIRST_SEEN: Final[dict[UUID, int]] = {}


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


def check_host(directory: Path, *, now: datetime) -> Standing:
    """Whether this host may send, with `directory` beside the keys. Writes neither there nor in the database.

    A doubt is one that stays: another process may be writing its mark, or the very first one, at this moment.
    """
    for _ in range(_LOOKS):
        found = restore_guard.decide_standing(_observe(directory, now))
        if found is Standing.OURS:
            break
        time.sleep(0.05)
    return found


def check_and_join(directory: Path, *, now: datetime) -> Standing:
    """As `standing`; a host that saw others at work with the data writes its file, and is one of them from then on."""
    found = check_host(directory, now=now)
    if found is Standing.OURS and _FIRST_SEEN:
        _move_mark(directory)  # other processes of this host read the file
    elif found is not Standing.NEW_HOST:
        _FIRST_SEEN.clear()
    return found


def close_if_restored(directory: Path, *, now: datetime) -> Standing:
    """As `join`, and close the gate if this data looks restored or copied.

    A host that has to wait (`NEW_HOST`) closes nothing: others may be at work. Called whenever a worker comes to the
    database anew, before it sends anything: it may have been set back meanwhile.
    """
    found = check_and_join(directory, now=now)
    told = {"paused_by": found.value, "closed_for": ClosedFor.RESTORED}
    if found.in_doubt and Gate.objects.exclude(**told).update(sending_open=False, **told):
        log.error("sending_closed", reason=found.value)
    return found


def check_and_advance_mark(directory: Path, *, now: datetime) -> Standing:
    """As `look`; if all is well, move the mark on, in the database and in `directory`.

    Called at every start and at every look at the tables, before the look is written down.
    """
    found = close_if_restored(directory, now=now)
    if found is Standing.OURS:
        _move_mark(directory)
    return found


def confirm_installation(directory: Path, *, now: datetime) -> None:
    """An operator says that this is the one installation that sends: open the gate, ahead of whatever was kept anywhere."""
    kept = restore_guard.read(directory)
    gate = Gate.objects.get()
    Gate.objects.update(mark=max(gate.mark, kept.mark if kept else 0) + 1)
    _move_mark(directory)
    resume()
    log.warning("installation_confirmed")


def _observe(directory: Path, now: datetime) -> Observed:
    kept = restore_guard.read(
        directory
    )  # before the row: a mark that others commit in between is then only ahead of it
    gate = Gate.objects.get()
    if kept is not None:
        _FIRST_SEEN.clear()
    return Observed(
        kept,
        copied=kept is not None and restore_guard.is_copy(directory, kept),
        epoch=gate.installation_epoch,
        mark=gate.mark,
        moved=kept is None and _moved(gate),
        living=Pulse.objects.filter(name="tick", at__gt=now - _LIVING).exists(),
        doubted=gate.closed_for == ClosedFor.RESTORED,
    )


def _moved(gate: Gate) -> bool:
    """Whether the mark is further than when this process saw it first: it is not we who move it, without a file."""
    return gate.mark > 0 and gate.mark > _FIRST_SEEN.setdefault(gate.installation_epoch, gate.mark)


def _move_mark(directory: Path) -> None:
    """The database first: what is kept is never ahead of what was committed. Only the file itself is there before any mark."""
    gate = Gate.objects.get()
    kept = restore_guard.read(directory)
    try:
        if kept is None or kept.epoch != gate.installation_epoch:
            restore_guard.write(directory, gate.installation_epoch, gate.mark)
        mark = db.rows("UPDATE gate SET mark=mark+1 RETURNING mark")[0][0]
        restore_guard.write(directory, gate.installation_epoch, mark)
    except OSError as error:
        log.warning("mark_not_kept", error=type(error).__name__)


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
