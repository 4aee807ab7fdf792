"""Retry a write while the database is down, so that a restart of it does not lose what the provider answered."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection, transaction

T = TypeVar("T")

#: Seconds for which a write is retried: below the tasks' time limit, far below the lease.
RETRY_WRITES_FOR = 60
#: How a database shows that it is unavailable, or (`InternalError`) read-only after a failover.
DATABASE_DOWN = (OperationalError, InterfaceError, InternalError)


def retry_write(write: Callable[[], T], *, atomic: bool = True) -> T:
    """Call `write` in a transaction until the database is up, for a minute at most.

    With `atomic` False, `write` is a transaction by itself: another one around it would cost two more round trips.
    """
    deadline = time.monotonic() + RETRY_WRITES_FOR
    while True:
        try:
            with transaction.atomic() if atomic else nullcontext():
                return write()
        except DATABASE_DOWN:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
