"""Threads of each worker that read the tables: for the work of dead workers, and for all work while no tick comes from Redis."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import close_old_connections

from newsletter import delivery_wiring, edition_wiring
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db
from newsletter.models import Pulse
from newsletter.worker import maintenance
from newsletter.worker.run_once import Pass, deliver
from newsletter.worker.stages import BY_NAME, READING

log = structlog.get_logger()

#: Seconds without a tick after which a worker polls the tables.
SILENCE = 25
#: Seconds between two searches for the work of dead workers.
RECOVER_EVERY = 5.0
#: Seconds for which a poll waits for mail under a rate limit: less than SILENCE, so that one worker polls at a time.
PACED = 20.0


def poll_when_silent(stop: threading.Event, *, silence: float = SILENCE) -> None:
    """Poll the tables whenever there was no tick for `silence` seconds, until `stop`.

    One of several workers polls: the time in the `pulse` row is moved by compare-and-set.
    """
    while not stop.wait(silence / 5):
        try:
            now = db.now()
            silent = Pulse.objects.filter(name="tick", at__lt=now - timedelta(seconds=silence))
            if silent.exists() and not _is_new_host(now) and silent.update(at=now):
                log.warning("no_ring")
                poll_tables()
        except Exception as error:  # noqa: BLE001 - without Redis nobody else polls: what fails is tried again
            log.error("not_looked", error=type(error).__name__)
        finally:
            close_old_connections()


def _is_new_host(now: datetime) -> bool:
    """True on a new host: the hosts whose mark it waits for poll instead."""
    return delivery_wiring.host_guard().close_if_restored(now=now) is Standing.NEW_HOST


def poll_tables() -> None:
    """Deliver what is owed, then again after each feed that brought something: a slow feed must not delay mail."""
    _deliver()
    reading = Pass(edition_wiring.gather())
    reading.run(BY_NAME["refresh_due"], seconds=READING, follow=_deliver)
    reading.run(BY_NAME["archives"], seconds=0, follow=_deliver)


def _deliver() -> None:
    deliver(wait=edition_wiring.gather(), paced=PACED)


def recover_regularly(stop: threading.Event, *, every: float = RECOVER_EVERY, on_recovered: Callable[[], None]) -> None:
    """Recover the work of dead workers, at once and then every `every` seconds, until `stop`.

    Calls `on_recovered` if mail may be sent again. It has a thread of its own: a poll sends mail, and may take minutes.
    """
    while not stop.is_set():
        try:
            if maintenance.recover_from_dead_workers():
                on_recovered()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            log.error("not_taken_back", error=type(error).__name__)
            close_old_connections()
        stop.wait(every)


def start(on_recovered: Callable[[], None]) -> threading.Event:
    """Start both threads and return the event that ends them."""
    stop = threading.Event()
    recover = partial(recover_regularly, stop, on_recovered=on_recovered)
    threading.Thread(target=recover, name="recover", daemon=True).start()
    threading.Thread(target=poll_when_silent, args=(stop,), name="fallback-poll", daemon=True).start()
    return stop
