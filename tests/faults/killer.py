"""Kills processes at any moment, from a seed, and sees how long it takes until what they held is out of their hands."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.ledger import Ledger
from tests.faults.workers import Crew, children, is_up, kill


@dataclass(frozen=True)
class Aim:
    """`parents`: the share of kills that hit a whole worker, the others one of its prefork children. `pause`: seconds between
    two kills. `most`: how many. `whole`: workers without children."""

    most: int
    parents: float = 0.3
    pause: tuple[float, float] = (0.5, 0.9)
    whole: bool = False


class Killer:
    """Kills until `enough`; what a dead worker held is followed until the end of the block.

    `progress`, where given, is a number that grows with the work: nobody is killed twice in a row without any, or a slow
    machine would show nothing but workers that start.
    """

    def __init__(
        self, crew: Crew, ledger: Ledger, seed: int, *aims: Aim, progress: Callable[[], int] | None = None
    ) -> None:
        self._crew, self._ledger, self._random, self._aims = crew, ledger, random.Random(seed), list(aims)
        self._progress = progress
        self._enough, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._open: list[tuple[float, frozenset[tuple[int, str]]]] = []
        self.kills = 0
        #: Seconds from each kill until nothing is held any more by who held it then.
        self.recoveries: list[float] = []

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def enough(self) -> bool:
        """Whether all were killed that were to be."""
        return not self._aims

    def stop(self) -> None:
        """Kill nobody any more."""
        self._enough.set()

    def _run(self) -> None:
        following, before = 0.0, -1
        while not self._over.wait(0.1):
            self._follow()
            if self._enough.is_set() or not self._aims or time.monotonic() < following:
                continue
            if self._progress is not None and self._progress() == before:
                continue
            aim = self._aims[0]
            following = time.monotonic() + self._random.uniform(*aim.pause)
            if self._hit(aim):
                before = self._progress() if self._progress is not None else -1
            if self.kills >= aim.most:
                self._aims.pop(0)

    def _hit(self, aim: Aim) -> bool:
        # what still starts has nothing to lose (and its worker would give up); without prefork there is only the whole
        found = [(one.pid, [fork for fork in children(one.pid) if is_up(fork)]) for one in self._crew.workers()]
        ready = found if aim.whole else [(pid, forks) for pid, forks in found if forks]
        if not ready:
            return False
        parent, forks = self._random.choice(ready)
        whole = aim.whole or self._random.random() < aim.parents
        held = self._ledger.held()
        if not kill(parent if whole else self._random.choice(forks)):
            return False
        self.kills += 1
        if held:
            self._open.append((time.monotonic(), held))
        return True

    def _follow(self) -> None:
        if not self._open:
            return
        held = self._ledger.held()
        if held is None:
            return
        now = time.monotonic()
        self.recoveries += [now - since for since, then in self._open if not then & held]
        self._open = [(since, then) for since, then in self._open if then & held]
