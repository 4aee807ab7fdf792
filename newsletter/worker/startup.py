"""What every start does before anything else: a look at the keys, and the rows that must be there once."""

import secrets
import threading

import structlog
from django.db import DatabaseError, close_old_connections

from newsletter import wiring
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit
from newsletter.models import IndexState, Pulse

log = structlog.get_logger()

#: Seconds between two looks of a host that is new.
_LOOK = 5.0


class NotReady(Exception):
    """The service cannot start as it is; the message says what to do."""


def prepare() -> None:
    """What every start does once the tables are there: check the keys, show a first sign of life.

    Raises:
        NotReady: no database, tables missing, or keys that do not open the data.
    """
    try:
        sending_gate.create_gate(wiring.vault())
        if wiring.host_guard().check_and_advance_mark(now=db.now()) is Standing.NEW_HOST:
            log.info("host_waits", reason=Standing.NEW_HOST.value)
        # begun at random: an index compiled for another database must never look like this one's
        IndexState.objects.get_or_create(id=1, defaults={"number": secrets.randbelow(2**30)})
        Pulse.objects.get_or_create(name="tick", defaults={"at": db.now()})
    except KeysDoNotFit as error:
        raise NotReady(f"{error}. Put back the keys file that was kept") from error
    except DatabaseError as error:
        raise NotReady("the database does not answer, or has no tables yet: run 'newsletter migrate'") from error


def settle_in(stopped: threading.Event, *, every: float = _LOOK) -> None:
    """Wait until this host is one of those that work with the data, or `stopped`: for processes that never send.

    A start of theirs in a silence is then no start with foreign data.
    """
    while not _settled() and not stopped.wait(every):
        pass


def _settled() -> bool:
    try:
        return wiring.host_guard().check_and_join(now=db.now()) is Standing.OURS
    except DatabaseError:
        return False
    finally:
        close_old_connections()
