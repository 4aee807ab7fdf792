"""An installation to be hurt: a database made from a template, its keys, and the commands of its processes."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests import services

ROOT = Path(__file__).parents[2]
_FILE = "newsletter.sqlite3"


class Template:
    """A seeded database and its keys, made once; every scenario gets a copy. `postgres` None: SQLite. `kind`: see `seed`."""

    def __init__(
        self, postgres: services.Postgres | None, directory: Path, people: int, size: int, kind: str = "planned"
    ) -> None:
        self.postgres, self.people, self.size = postgres, people, size
        self.data = directory / f"template-{kind}-{people}"
        self.url = postgres.new_database() if postgres else f"sqlite:///{self.data / _FILE}"
        seeding = environment(self.data, NEWSLETTER_DATABASE_URL=self.url)
        python("-m", "tests.faults.seed", kind, str(people), str(size), environment=seeding)

    def copy(self, directory: Path) -> tuple[str, Path]:
        """(database URL, data directory) of a fresh copy."""
        data = directory / "data"
        data.mkdir(parents=True, mode=0o700)
        shutil.copy2(self.data / "keys", data / "keys")
        if self.postgres is None:
            shutil.copy2(self.data / _FILE, data / _FILE)
            return f"sqlite:///{data / _FILE}", data
        return self.postgres.new_database(template=self.url.rpartition("/")[2]), data


def environment(data: Path, **more: str) -> dict[str, str]:
    """The environment of an installation's processes."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    return plain | {
        "PYTHONPATH": str(ROOT),
        "NEWSLETTER_DATA_DIR": str(data),
        "NEWSLETTER_FROM": "Digest <digest@news.example.org>",
        "NEWSLETTER_GATHER": "0",
        **more,
    }


def python(*words: str, environment: dict[str, str]) -> str:
    """Run something to its end; returns what it printed."""
    done = subprocess.run(
        [sys.executable, *words], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"
    return done.stdout


def worker(app: str = "tests.faults.load", concurrency: int = 2) -> list[str]:
    """A Celery worker with prefork children, as it is deployed."""
    name = f"{os.urandom(3).hex()}@%h"
    return [*_celery(app, "worker"), f"--concurrency={concurrency}", "-n", name]


def beat(app: str = "tests.faults.load") -> list[str]:
    """What rings the bells."""
    return _celery(app, "beat")


def web() -> list[str]:
    """The pages, and the hook for events."""
    return ["-m", "tests.faults.load", "web"]


def _celery(app: str, command: str) -> list[str]:
    return ["-m", "celery", "-A", app, command, "--loglevel=WARNING"]


def until(done: Callable[[], bool], seconds: float) -> float | None:
    """Seconds until `done`; None when it was not in time."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if done():
            return time.monotonic() - began
        time.sleep(0.2)
    return None
