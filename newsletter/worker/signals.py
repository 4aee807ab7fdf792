"""A worker's life by Celery's signals: check the keys at the start, finish work in progress at the end."""

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

#: Seconds to wait at the end for mail that is being handed over.
DRAIN = 30.0


class _Callbacks:
    """Called by the functions below, which Celery calls without arguments of ours."""

    on_recovered: Callable[[], None]


def connect(on_recovered: Callable[[], None]) -> None:
    """Connect to Celery's signals, in this process and in those that it forks.

    `on_recovered` is called when mail that a dead worker held may be sent again.
    """
    _Callbacks.on_recovered = staticmethod(on_recovered)
    signals.setup_logging.connect(_set_up_logging)
    signals.worker_init.connect(_start_parent)
    signals.worker_process_init.connect(_start_child)
    signals.worker_process_shutdown.connect(_stop_child)
    signals.worker_shutting_down.connect(_request_shutdown)
    signals.worker_shutdown.connect(_stop_worker)
    signals.task_prerun.connect(_before_task)
    signals.task_failure.connect(_after_failure)


def _start_parent(sender: Any = None, **_signal: Any) -> None:
    """Check the keys before any task is taken; a pool without children also starts its threads here."""
    wiring.shutdown.clear()
    try:
        prepare()
    except NotReady as error:
        raise SystemExit(f"newsletter: {error}") from None
    if sender is not None and "prefork" not in str(getattr(sender, "pool_cls", "prefork")):
        _start_sending()


def _start_child(**_signal: Any) -> None:
    """A prefork child: threads do not survive a fork, so each child starts its own."""
    # imported objects stay: the collector need not visit them whenever a batch has made some thousand new ones
    gc.freeze()
    wiring.shutdown.handle_sigterm()
    _start_sending()


def _start_sending() -> None:
    heartbeat.start(wiring.config().data_dir)
    fallback_poll.start(_Callbacks.on_recovered)


def _stop_child(**_signal: Any) -> None:
    """Finish what the threads of this child are sending."""
    end_sending()


def _stop_worker(**_signal: Any) -> None:
    """The same for a pool without children."""
    end_sending()


def end_sending() -> None:
    """Finish work in progress, then record that this process holds nothing more."""
    wiring.shutdown.drain(DRAIN)
    heartbeat.stop()


def _before_task(**_signal: Any) -> None:
    """Close a connection that broke or is a minute old, as before each request of a page; else keep it."""
    close_old_connections()


def _after_failure(**_signal: Any) -> None:
    """Close all connections: their state is unknown."""
    connections.close_all()


def _request_shutdown(**_signal: Any) -> None:
    """In the parent: request the shutdown, which its children see too."""
    wiring.shutdown.set()


def _set_up_logging(**_signal: Any) -> None:
    log_setup.configure(wiring.config().log_level)
