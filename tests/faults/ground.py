"""An installation to be hurt: real workers and beat as processes, on a database made from a template; and who hurts it."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import services
from tests.faults.ledger import Ledger

ROOT = Path(__file__).parents[2]
_FILE = "newsletter.sqlite3"


class Template:
    """A seeded database and its keys, made once; every scenario gets a copy. `postgres` None: SQLite."""

    def __init__(self, postgres: services.Postgres | None, directory: Path, people: int, size: int) -> None:
        self.postgres, self.people = postgres, people
        self.data = directory / f"template-{people}"
        self.url = postgres.new_database() if postgres else f"sqlite:///{self.data / _FILE}"
        seeding = environment(self.data, NEWSLETTER_DATABASE_URL=self.url)
        python("-m", "tests.faults.seed", str(people), str(size), environment=seeding)

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


class Crew:
    """Processes that are started again when they die, until `stop`."""

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self.environment = environment
        self._log = directory / "processes.log"
        self._commands: list[list[str]] = []
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._watching: threading.Thread | None = None
        self.drains: list[float] = []

    def start(self, *commands: list[str]) -> None:
        with self._lock:
            for command in commands:
                self._commands.append(command)
                self._running.append(self._spawn(command))
        if self._watching is None:
            self._watching = threading.Thread(target=self._watch, daemon=True)
            self._watching.start()

    def workers(self) -> list[subprocess.Popen[bytes]]:
        """The living ones that send."""
        with self._lock:
            pairs = zip(self._commands, self._running, strict=True)
            return [one for command, one in pairs if "beat" not in command and one.poll() is None]

    def stop(self) -> None:
        """End all, as a deployment does; what does not end in time is killed."""
        self._ended.set()
        if self._watching is not None:
            self._watching.join()
        for one in self._running:
            one.terminate()
        for one in self._running:
            try:
                one.wait(timeout=20)
            except subprocess.TimeoutExpired:
                for child in children(one.pid):
                    _kill(child)
                one.kill()
                one.wait()

    def roll(self) -> None:
        """End one worker by SIGTERM, and wait until a new one stands in its place."""
        victim = self.workers()[0]
        began = time.monotonic()
        victim.terminate()
        victim.wait(timeout=60)
        self.drains.append(time.monotonic() - began)

    def told(self) -> str:
        """What the processes logged."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command], env=self.environment, cwd=ROOT, stdout=log, stderr=log, process_group=0
            )

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            with self._lock:
                for number, one in enumerate(self._running):
                    if one.poll() is not None:
                        self._running[number] = self._spawn(self._commands.pop(number))
                        self._commands.insert(number, list(one.args[1:]))


def children(pid: int) -> list[int]:
    """The prefork children of a worker."""
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _kill(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


class Killer:
    """Kills -9 a prefork child, or (`parents` of the times) a whole worker, every half second or so, from a seed."""

    def __init__(self, crew: Crew, seed: int, *, parents: float = 0.3, pause: tuple[float, float] = (0.5, 0.9)) -> None:
        self._crew, self._random, self._parents, self._pause = crew, random.Random(seed), parents, pause
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.kills = 0

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._random.uniform(*self._pause)):
            found = [(one.pid, children(one.pid)) for one in self._crew.workers()]
            # a worker that still starts has nothing to lose; without prefork there is only the whole
            ready = found if self._parents == 1 else [(pid, forks) for pid, forks in found if forks]
            if not ready:
                continue
            parent, forks = self._random.choice(ready)
            victim = parent if self._random.random() < self._parents else self._random.choice(forks)
            self.kills += _kill(victim)


def worker(app: str = "tests.faults.rush", concurrency: int = 2) -> list[str]:
    return [
        "-m",
        "celery",
        "-A",
        app,
        "worker",
        f"--concurrency={concurrency}",
        "--loglevel=WARNING",
        "-n",
        f"{os.urandom(3).hex()}@%h",
    ]


def beat(app: str = "tests.faults.rush") -> list[str]:
    return ["-m", "celery", "-A", app, "beat", "--loglevel=WARNING"]


def until(done: Callable[[], bool], seconds: float) -> float | None:
    """Seconds until `done`; None when it was not in time."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if done():
            return time.monotonic() - began
        time.sleep(0.2)
    return None


@contextlib.contextmanager
def crew(environment: dict[str, str], directory: Path, *commands: list[str]) -> Iterator[Crew]:
    """Processes that run until the end of the block."""
    made = Crew(environment, directory)
    try:
        made.start(*commands)
        yield made
    finally:
        made.stop()


def all_done(ledger: Ledger) -> Callable[[], bool]:
    """True once no batch waits or is under way."""
    return lambda: ledger.open_batches() == 0
