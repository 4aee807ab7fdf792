"""Real Redis and PostgreSQL on free ports of this machine, started and stopped by whoever needs them; no pytest in here."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from uuid import uuid4


class Missing(Exception):
    """The service is not installed on this machine."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """Return when `port` accepts connections."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the service on port {port} ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.5):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


class Redis:
    """A redis-server; `stop` and `start` again keep the port, and lose the data unless `appendonly`."""

    def __init__(self, *, appendonly: bool = False) -> None:
        if shutil.which("redis-server") is None:
            raise Missing("redis-server")
        self.port = free_port()
        self.appendonly = appendonly
        self.directory = tempfile.mkdtemp(prefix="newsletter-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        if self._process is not None:
            return
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, "--save", ""]
        options += ["--appendonly", "yes" if self.appendonly else "no", "--maxmemory-policy", "noeviction"]
        self._process = subprocess.Popen(
            ["redis-server", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self._process)

    def stop(self, *, kill: bool = False) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self._process.wait(timeout=20)
            self._process = None

    def freeze(self, frozen: bool) -> None:
        """Stop answering, or go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def command(self, *words: str) -> str:
        """Run one redis-cli command, e.g. `FLUSHALL`."""
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Postgres:
    """A PostgreSQL cluster of its own; as root it runs as the user postgres, because it refuses root.

    `durable`: what was committed survives `crash`. `settings`: as in postgresql.conf.
    """

    def __init__(self, *, durable: bool = False, **settings: str) -> None:
        write = "on" if durable else "off"
        self._settings = {"fsync": write, "synchronous_commit": write} | settings
        self._bin = _postgres_bin()
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="newsletter-postgres-"))
        self._as_postgres: list[str] = []
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
            self._as_postgres = ["runuser", "-u", "postgres", "--"]

    def start(self) -> None:
        data = self.directory / "data"
        self._run("initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
        self._control("start")

    @property
    def pid(self) -> int:
        """Of the process that all others of it come from."""
        return int((self.directory / "data" / "postmaster.pid").read_text().split()[0])

    def crash(self) -> None:
        """End it at once, with no time to write anything, and start it again."""
        self._control("restart", "-m", "immediate")

    def freeze(self, frozen: bool) -> None:
        """Stop answering, all of its processes, or go on."""
        parent = int((self.directory / "data" / "postmaster.pid").read_text().split()[0])
        # the parent first: then no further child comes
        for pid in (parent, *map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())):
            os.kill(pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def url(self, name: str) -> str:
        """The URL of a database."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def new_database(self, *, template: str = "template0") -> str:
        """The URL of a fresh database, empty or as `template` is."""
        name = f"t{uuid4().hex[:12]}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-T", template, name)
        return self.url(name)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _control(self, *words: str) -> None:
        options = f"-p {self.port} -k {self.directory} -h 127.0.0.1"
        options += "".join(f" -c {name}={value}" for name, value in self._settings.items())
        data, log = str(self.directory / "data"), str(self.directory / "log")
        self._run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, *words)

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as_postgres, str(self._bin / command), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command} failed: {done.stderr.decode(errors='replace')[-500:]}")


def _postgres_bin() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    found = str(versions[-1]) if versions else shutil.which("initdb")
    if found is None:
        raise Missing("postgresql")
    return Path(found).parent


def chromium() -> str:
    """The path of a Chromium for Playwright."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise Missing("chromium")
    return found


def spamassassin() -> str:
    """The path of SpamAssassin's command."""
    found = shutil.which("spamassassin")
    if found is None:
        raise Missing("spamassassin")
    return found
