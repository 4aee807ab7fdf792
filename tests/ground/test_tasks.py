"""Every bell that somebody rings, and every tick, is a task that exists."""

import re
from pathlib import Path

import newsletter
from newsletter import tasks

CODE = Path(newsletter.__file__).parent


def test_every_bell_that_is_rung_exists() -> None:
    rung = {name for path in CODE.rglob("*.py") for name in re.findall(r'\bring\("(\w+)"', path.read_text())}
    assert {"match", "send", "refresh_due"} <= rung
    assert {f"newsletter.{name}" for name in rung} <= set(tasks.app.tasks)


def test_every_tick_exists() -> None:
    assert {tick.task for tick in tasks.TICKS.values()} <= set(tasks.app.tasks)
