"""Values that take long to make and change slowly, remembered by each process for a while."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.db import connection

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Remembers a few values for `seconds` each. Two threads that miss one at the same time both make it."""

    _all: "list[Remembered[object]]" = []

    def __init__(self, seconds: float, *, most: int = 50) -> None:
        self._seconds, self._most = seconds, most
        self._values: dict[Hashable, tuple[float, Value]] = {}
        self._lock = threading.Lock()
        Remembered._all.append(self)  # type: ignore[arg-type]

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of this key in the present database, made if none is remembered."""
        place = (connection.settings_dict["NAME"], key)
        now = time.monotonic()
        with self._lock:
            known = self._values.get(place)
        if known is not None and now - known[0] < self._seconds:
            return known[1]
        value = make()
        with self._lock:
            if len(self._values) >= self._most:
                self._values.clear()
            self._values[place] = (now, value)
        return value

    @classmethod
    def forget_all(cls) -> None:
        """Forget every value of every instance: for tests, whose database begins anew."""
        for one in cls._all:
            one._values.clear()
