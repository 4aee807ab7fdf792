"""Every stage is a task, and every name that is published or ticks is one; the app has all that a worker needs."""

import re
import subprocess
import sys
from pathlib import Path

import newsletter
from newsletter.worker import tasks
from newsletter.worker.stages import STAGES

CODE = Path(newsletter.__file__).parent

SIGNALS = """
import worker
from celery import signals
names = "setup_logging worker_init worker_process_init worker_process_shutdown worker_shutting_down".split()
print(*(name for name in names if not getattr(signals, name).has_listeners()))
"""


def test_the_tasks_are_the_stages() -> None:
    ours = {name for name in tasks.app.tasks if name.startswith("newsletter.")}
    assert ours == {stage.task for stage in STAGES}


def test_published_names_are_stages() -> None:
    published = {name for path in CODE.rglob("*.py") for name in re.findall(r'\bpublish\("(\w+)"', path.read_text())}
    assert {"sign_ups", "notices", "refresh_due"} <= published
    assert published <= {stage.name for stage in STAGES}


def test_ticks_are_read_from_the_table() -> None:
    ticks = {tick["task"]: tick["schedule"] for tick in tasks.app.conf.beat_schedule.values()}
    assert ticks == {stage.task: stage.every for stage in STAGES if stage.every is not None}


def test_names_of_queued_tasks_never_change() -> None:
    queued = "refresh_due match rematch sign_ups notices close slots compose_open compose send recover hear prune"
    assert {f"newsletter.{name}" for name in queued.split()} <= set(tasks.app.tasks)


def test_a_worker_listens_to_celerys_signals() -> None:
    asked = subprocess.run([sys.executable, "-c", SIGNALS], cwd=CODE.parent, capture_output=True, text=True, check=True)
    assert asked.stdout.split() == []
