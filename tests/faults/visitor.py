"""Somebody who opens the first page twice a second, and counts what they get and how long it takes."""

import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Self

from tests.faults.servers import until


class Visitor:
    """`url` is the address of the pages; nothing is counted before they answered once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answers: Counter[int] = Counter()
        self.seconds: list[float] = []

    def __enter__(self) -> Self:
        until(lambda: self._visit() == 200, 60)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def errors(self) -> int:
        """Answers that were none, or an error of ours."""
        return sum(times for status, times in self.answers.items() if status != 200)

    def told(self) -> str:
        """In words for the table."""
        slowest = max(self.seconds, default=0)
        return f"{sum(self.answers.values())} visits, {self.errors} errors, slowest {slowest:.2f} s"

    def _run(self) -> None:
        while not self._over.wait(0.5):
            began = time.monotonic()
            self.answers[self._visit()] += 1
            self.seconds.append(time.monotonic() - began)

    def _visit(self) -> int:
        try:
            with urllib.request.urlopen(self._url, timeout=40) as answer:  # noqa: S310 - our own address
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, OSError):
            return 0
