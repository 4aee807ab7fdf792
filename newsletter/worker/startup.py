"""Prepare every start: check the keys, and create the rows that must exist once."""

import secrets
import threading

import structlog
from django.db import DatabaseError, close_old_connections

from newsletter import delivery_wiring, wiring
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit
from newsletter.models import IndexState, Pulse

log = structlog.get_logger()

#: Seconds between two attempts of a new host.
_RETRY = 5.0


class NotReady(Exception):
    """The service cannot start as it is; the message says what to do."""


def prepare() -> None:
    """Check the keys and record a first tick; call it when the tables exist.

    Raises:
        NotReady: there is no database, tables are missing, or the keys do not decrypt the data.
    """
    try:
        sending_gate.create_gate(wiring.vault())
        if delivery_wiring.host_guard().check_and_advance_mark(now=db.now()) is Standing.NEW_HOST:
            log.info("host_waits", reason=Standing.NEW_HOST.value)
        # a random start: an index of another database must never seem to be this one's
        IndexState.objects.get_or_create(id=1, defaults={"number": secrets.randbelow(2**30)})
        Pulse.objects.get_or_create(name="tick", defaults={"at": db.now()})
    except KeysDoNotFit as error:
        raise NotReady(f"{error}. Put back the keys file that was kept") from error
    except DatabaseError as error:
        raise NotReady("the database does not answer, or has no tables yet: run 'newsletter migrate'") from error


def wait_until_joined(stopped: threading.Event, *, every: float = _RETRY) -> None:
    """Wait until this host is known as one that works with the data, or until `stopped`: for processes that never send.

    Then a later start of theirs, while no worker is alive, does not look like a start with a copy of the data.
    """
    while not _joined() and not stopped.wait(every):
        pass


def _joined() -> bool:
    try:
        return delivery_wiring.host_guard().check_and_join(now=db.now()) is Standing.OURS
    except DatabaseError:
        return False
    finally:
        close_old_connections()
