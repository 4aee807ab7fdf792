"""Looking at a site while somebody waits for the page: few at a time, and for a limited time."""

import threading
from collections.abc import Callable
from typing import TypeVar

from django.utils.translation import gettext

from newsletter.lib.deadline import deadline
from newsletter.lib.refused import Refused

T = TypeVar("T")

#: Looks at the same time in this process: the other threads are left to all other pages, those of subscribers too.
AT_ONCE = 3
#: Seconds for one look with all its requests.
SECONDS = 20.0
_free = threading.BoundedSemaphore(AT_ONCE)


def look(at: Callable[[], T]) -> T | Refused:
    """Call `at`, which asks a site for something, unless others are doing so already."""
    if not _free.acquire(blocking=False):
        return Refused(gettext("several people are looking at feeds right now: try again in a few seconds"))
    try:
        with deadline(SECONDS):
            return at()
    finally:
        _free.release()
