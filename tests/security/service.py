"""The running service for tests that attack it: one process, spoken to over bare sockets."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.services import free_port, wait_for_port

ROOT = Path(__file__).parents[2]


class Service:
    """One process of the service on SQLite: `web`, the pages alone, or `run`, everything."""

    def __init__(self, directory: Path, *, part: str = "web", **settings: str) -> None:
        self._part = part
        self.port, self.metrics_port = free_port(), free_port()
        self.data = directory / "data"
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        settings = {name: value.format(metrics=self.metrics_port) for name, value in settings.items()}
        self.environment = {
            **kept,
            "TMPDIR": str(self.temporary),
            "NEWSLETTER_DATA_DIR": str(self.data),
            "NEWSLETTER_BIND": f"127.0.0.1:{self.port}",
            **{f"NEWSLETTER_{name}": value for name, value in settings.items()},
        }
        self.log = directory / f"{part}.log"

    @contextlib.contextmanager
    def running(self) -> Iterator["Service"]:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "newsletter", self._part],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                umask=0o022,
            )
        try:
            wait_for_port(self.port, self.process, 60)
            yield self
        finally:
            self.process.terminate()
            self.process.wait(timeout=30)

    def command(self, *words: str) -> str:
        """What a command of the service prints, run beside it as an admin would."""
        return self._python("-m", "newsletter", *words)

    def python(self, program: str, **environment: str) -> str:
        """What a program prints that runs with the settings of the service."""
        return self._python("-c", program, **environment)

    def _python(self, *words: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            env=self.environment | environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{words[:4]} ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stdout

    def memory(self) -> int:
        """Resident bytes of the process."""
        told = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(told.partition("VmRSS:")[2].split()[0]) * 1024

    def spooled(self) -> list[str]:
        """Files that the process has open or left behind where temporary files go, deleted ones too."""
        opened = []
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                opened.append(str(descriptor.readlink()))
        return [*filter(lambda name: str(self.temporary) in name, opened), *map(str, self.temporary.iterdir())]

    def connect(self, *, source: str = "127.0.0.1", port: int = 0) -> socket.socket:
        """A connection from one of this machine's own addresses, 127.0.0.0/8."""
        return socket.create_connection(("127.0.0.1", port or self.port), timeout=60, source_address=(source, 0))

    def ask(
        self,
        path: str,
        *headers: str,
        method: str = "GET",
        body: bytes = b"",
        host: str = "127.0.0.1",
        source: str = "127.0.0.1",
        port: int = 0,
    ) -> "Answer":
        """Send one request and read the answer whole."""
        length = [f"Content-Length: {len(body)}"] if method == "POST" else []
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *length, *headers]
        with self.connect(source=source, port=port) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            return Answer(read_all(connection))


class Answer:
    """An answer as it came over the wire."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value


def read_all(connection: socket.socket) -> bytes:
    """All until the other side closes, also when it resets the connection after its answer."""
    read = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            read += piece
    return bytes(read)
