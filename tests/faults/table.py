"""The table of `make faults`: a line for each scenario as it ends, all of them at the end, and progress on the way."""

import sys
import threading
import time
from statistics import quantiles
from typing import Self

from tests.faults.environment import Result, World

HEAD = (
    "scenario", "N", "seed", "kills", "lost", "double", "unknown (of which accepted)", "recovery p50/p99 s", "seconds",
    "kept", "facts",
)  # fmt: skip


def line(words: tuple[object, ...]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(map(str, words))} |"


def row(name: str, seed: int, result: Result, seconds: float, guilty: bool) -> str:
    """A scenario's line. `guilty`: the judge had to find something."""
    found = result.verdict
    facts = [f"{name}: {value}" for name, value in result.facts.items()]
    if guilty:
        kept = "guilty, as it must be" if result.broken else "NOT FOUND GUILTY"
    else:
        kept = "yes" if not result.broken else f"NO: {'; '.join(result.broken)}"
    unknown = f"{found.unknown} ({found.unknown_taken})"
    words = (name, found.planned, seed, result.kills, found.lost, found.double, unknown, _recovery(result.recoveries))
    return line((*words, round(seconds), kept, ", ".join(facts)))


def failed(name: str, seed: int, error: Exception, seconds: float) -> str:
    """The line of a scenario that came to no verdict."""
    words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return line((name, "", seed, "", "", "", "", "", round(seconds), f"NO: {words}", ""))


def _recovery(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    parts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    return f"{parts[49]:.1f} / {parts[98]:.1f}"


class Progress:
    """Tells every ten seconds on standard error how far a scenario is."""

    def __init__(self, name: str, world: World) -> None:
        self._name, self._world = name, world
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._over.wait(10):
            states = self._world.ledger.counted()
            words = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items())) or "no answer"
            taken = f"{self._world.taken():,} taken of {self._world.people:,}"
            print(
                f"{self._name} {time.monotonic() - began:4.0f} s  {taken}  ledger: {words}", file=sys.stderr, flush=True
            )
