"""From a worker's start to its end, as Celery's signals tell of it: keys are checked, what is begun is brought to its end."""

import gc
from collections.abc import Callable
from typing import Any

from celery import signals
from django.db import close_old_connections, connections

from newsletter import wiring
from newsletter.delivery.sending import heartbeat
from newsletter.lib import log_setup
from newsletter.worker import fallback_poll
from newsletter.worker.startup import NotReady, prepare

#: Seconds that a hand-over which has begun is waited for at the end.
DRAIN = 30.0


class _Told:
    """What is called when mail may be sent again that a dead worker held."""

    given_back: Callable[[], None]


def follow(given_back: Callable[[], None]) -> None:
    """Hear Celery's signals from now on, in this process and in those that it forks.

    `given_back` is called when mail may be sent again that a dead worker held.
    """
    _Told.given_back = staticmethod(given_back)
    signals.setup_logging.connect(_logging)
    signals.worker_init.connect(_in_the_parent)
    signals.worker_process_init.connect(_in_each_child)
    signals.worker_process_shutdown.connect(_before_each_child_ends)
    signals.worker_shutting_down.connect(_told_to_end)
    signals.worker_shutdown.connect(_before_the_end)
    signals.task_prerun.connect(_before_each_task)
    signals.task_failure.connect(_after_a_failure)


def _in_the_parent(sender: Any = None, **_signal: Any) -> None:
    """Keys are checked before anything is taken; pools without children watch from here."""
    wiring.shutdown.clear()
    try:
        prepare()
    except NotReady as error:
        raise SystemExit(f"newsletter: {error}") from None
    if sender is not None and "prefork" not in str(getattr(sender, "pool_cls", "prefork")):
        _begin_to_send()


def _in_each_child(**_signal: Any) -> None:
    """A prefork child: threads do not survive the fork, so each child watches for itself."""
    # what was imported stays: the collector need not walk through it each time that a batch has made some thousand objects
    gc.freeze()
    wiring.shutdown.handle_sigterm()
    _begin_to_send()


def _begin_to_send() -> None:
    heartbeat.start(wiring.config().data_dir)
    fallback_poll.begin(_Told.given_back)


def _before_each_child_ends(**_signal: Any) -> None:
    """What this child's own look at the tables is sending comes to its end."""
    end_sending()


def _before_the_end(**_signal: Any) -> None:
    """A pool without children: the same for this process."""
    end_sending()


def end_sending() -> None:
    """Let what was begun come to its end, then say that this process holds nothing more."""
    wiring.shutdown.drain(DRAIN)
    heartbeat.stop()


def _before_each_task(**_signal: Any) -> None:
    """As before each request of a page: a connection that broke, or is a minute old, is ended; else it is kept."""
    close_old_connections()


def _after_a_failure(**_signal: Any) -> None:
    """Nobody knows in what state it was left."""
    connections.close_all()


def _told_to_end(**_signal: Any) -> None:
    """In the parent, at the signal: children see it too, and begin nothing more."""
    wiring.shutdown.set()


def _logging(**_signal: Any) -> None:
    log_setup.configure(wiring.config().log_level)
