"""Each worker's own look at the tables: for what dead workers held, and for all when no tick comes: Redis may be gone."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import close_old_connections

from newsletter import wiring
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db
from newsletter.models import Pulse
from newsletter.worker import maintenance
from newsletter.worker.run_once import Pass, deliver
from newsletter.worker.stages import BY_NAME, READING

log = structlog.get_logger()

#: Seconds without a tick after which a worker looks at the tables by itself.
SILENCE = 25
#: Seconds between two looks for what dead workers held.
TAKE_BACK = 5.0
#: Seconds for which a worker that looks by itself goes on with mail that keeps a pace: below SILENCE, so one looks at a time.
PACED = 20.0


def watch(stop: threading.Event, *, silence: float = SILENCE) -> None:
    """Look at the tables whenever no tick was seen for `silence` seconds, until `stop`.

    Of several workers one looks: the sign in the `pulse` row is moved by compare-and-set.
    """
    while not stop.wait(silence / 5):
        try:
            now = db.now()
            silent = Pulse.objects.filter(name="tick", at__lt=now - timedelta(seconds=silence))
            if silent.exists() and not _waits(now) and silent.update(at=now):
                log.warning("no_ring")
                _look()
        except Exception as error:  # noqa: BLE001 - without Redis nobody else looks: what fails is tried again
            log.error("not_looked", error=type(error).__name__)
        finally:
            close_old_connections()


def _waits(now: datetime) -> bool:
    """Whether this host is new: those whose sign it waits for look when it does not."""
    return wiring.host_guard().close_if_restored(now=now) is Standing.NEW_HOST


def _look() -> None:
    """Deliver what is owed, then again after each feed that brought something: a slow feed must not delay mail."""
    _deliver()
    Pass(wiring.gather()).run(BY_NAME["refresh_due"], seconds=READING, follow=_deliver)


def _deliver() -> None:
    deliver(wait=wiring.gather(), paced=PACED)


def take_back(stop: threading.Event, *, every: float = TAKE_BACK, given_back: Callable[[], None]) -> None:
    """Take back what dead workers held, at once and then after `every` so many seconds, until `stop`; `given_back` is told.

    In a thread of its own: a look at all the tables sends, and may take minutes.
    """
    while not stop.is_set():
        try:
            if maintenance.take_back():
                given_back()
        except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
            log.error("not_taken_back", error=type(error).__name__)
            close_old_connections()
        stop.wait(every)


def begin(given_back: Callable[[], None]) -> threading.Event:
    """Start both looks in threads of this process; the event ends them."""
    stop = threading.Event()
    how = {"given_back": given_back}
    threading.Thread(target=take_back, args=(stop,), kwargs=how, name="take-back", daemon=True).start()
    threading.Thread(target=watch, args=(stop,), name="watch", daemon=True).start()
    return stop
