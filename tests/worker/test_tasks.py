"""Every bell that somebody rings, and every tick, is a task that exists; whoever has the app has all that a worker needs."""

import re
import subprocess
import sys
from pathlib import Path

import newsletter
from newsletter.worker import tasks

CODE = Path(newsletter.__file__).parent

FOLLOWED = """
import worker
from celery import signals
names = "setup_logging worker_init worker_process_init worker_process_shutdown worker_shutting_down".split()
print(*(name for name in names if not getattr(signals, name).has_listeners()))
"""


def test_every_bell_that_is_published_exists() -> None:
    published = {name for path in CODE.rglob("*.py") for name in re.findall(r'\bpublish\("(\w+)"', path.read_text())}
    assert {"match", "send", "refresh_due"} <= published
    assert {f"newsletter.{name}" for name in published} <= set(tasks.app.tasks)


def test_every_tick_exists() -> None:
    assert {tick.task for tick in tasks.TICKS.values()} <= set(tasks.app.tasks)


def test_a_worker_is_followed_from_its_start_to_its_end() -> None:
    asked = subprocess.run(
        [sys.executable, "-c", FOLLOWED], cwd=CODE.parent, capture_output=True, text=True, check=True
    )
    assert asked.stdout.split() == []
