"""Personalised mails by SMTP into a sink: how many a second leave our provider, beside smtplib and Postfix's smtp-source?

    python -m bench.delivery_smtp [--mails 20000] [--connections 8] [--rounds 3] [--smtp-source PATH] [--smtp-sink PATH]

Our provider is given real parcels in windows of 50, as the worker gives them. smtplib is pooled (one kept connection) and
mails texts whose personal places are filled by str.replace: the usual way, and a cheap one. smtp-source sends the same number
of mails of the same size that are all alike. Everybody has a turn in each round, so that what else the machine does hurts all
of them. Sinks count every mail; with Postfix's smtp-sink as a second one, what is measured is not our own sink.

Both programs are in Debian's package postfix, which need not be installed for that:

    apt-get download postfix && dpkg -x postfix_*.deb postfix
    export LD_LIBRARY_PATH=$PWD/postfix/usr/lib/postfix
    python -m bench.delivery_smtp --smtp-source postfix/usr/sbin/smtp-source --smtp-sink postfix/usr/sbin/smtp-sink
"""

import argparse
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from bench import processes, sinks
from bench.letters import DATE, SENDER, letter, parcels
from newsletter.lib.mail.provider_interface import Accepted, Parcel
from newsletter.lib.mail.window_record import WorkerFile
from newsletter.providers.prepared_messages import PreparedLetters
from newsletter.providers.smtp.provider import Smtp

SIZES = (10_000, 54_000)


class Sink(Protocol):
    """A mail server on 127.0.0.1 that counts."""

    @property
    def pid(self) -> int: ...
    @property
    def port(self) -> int: ...
    def mails(self) -> int:
        """How many it took."""


Way = Callable[[int, Sequence[Parcel]], None]
Sinks = Callable[[], AbstractContextManager[Sink]]


def ours(connections: int) -> Way:
    """Our provider with so many connections, and the record of its windows as a worker keeps it."""

    def send(port: int, mails: Sequence[Parcel]) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = WorkerFile(Path(directory) / "workers" / str(uuid4()))
            record = file.slot()
            provider = Smtp(
                urlsplit(f"smtp://127.0.0.1:{port}?connections={connections}"), SENDER, record=lambda: record
            )
            window = provider.window or 50
            for start in range(0, len(mails), window):
                ahead = mails[start : start + window]
                if record is not None:
                    record.open(uuid4(), [one.delivery_id for one in ahead])
                outcomes = provider.hand_over(ahead)
                if not all(isinstance(outcome, Accepted) for outcome in outcomes.values()):
                    raise RuntimeError("not all were accepted")
            provider.close()
            file.remove()

    return send


def pooled(port: int, mails: Sequence[Parcel]) -> None:
    """smtplib on one kept connection, a text for everybody."""
    text = PreparedLetters(SENDER).message(mails[0], DATE).decode()
    marks = [value for value in mails[0].personal.values() if value]
    with smtplib.SMTP("127.0.0.1", port) as server:
        for one in mails:
            own = text.replace(mails[0].address.value, one.address.value)
            for mark, value in zip(marks, [value for value in one.personal.values() if value], strict=True):
                own = own.replace(mark, value)
            server.sendmail(SENDER.address, [one.address.value], own)


def smtp_source(program: str, size: int, sessions: int) -> Way:
    """Postfix's own load generator with so many sessions that are kept."""

    def send(port: int, mails: Sequence[Parcel]) -> None:
        command = [program, "-d", "-s", str(sessions), "-l", str(size), "-m", str(len(mails))]
        subprocess.run([*command, "-f", "a@example.org", "-t", "b@example.org", f"127.0.0.1:{port}"], check=True)

    return send


@contextmanager
def our_sink() -> Iterator[Sink]:
    """That of `bench.sinks`."""
    with sinks.smtp() as sink:
        yield _Counting(sink.pid, sink.port, lambda: sink.taken().recipients)


@contextmanager
def postfix_sink(program: str) -> Iterator[Sink]:
    """Postfix's smtp-sink, which shows its counts as it goes; root must name somebody else for it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
    with tempfile.TemporaryFile() as shown:
        process = subprocess.Popen([program, *nobody, "-c", f"127.0.0.1:{port}", "1000"], stdout=shown)

        def mails() -> int:
            time.sleep(0.1)
            shown.seek(max(0, shown.seek(0, os.SEEK_END) - 100))
            return int(shown.read().decode().rpartition("mesg=")[2].strip() or 0)

        try:
            _wait_for(port)
            yield _Counting(process.pid, port, mails)
        finally:
            process.terminate()
            process.wait()


@dataclass(frozen=True)
class _Counting:
    pid: int
    port: int
    mails: Callable[[], int]


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the sink does not listen")


@dataclass
class Told:
    """What the rounds of one way showed: mails a second, µs of CPU a mail of the sender and of the sink."""

    rates: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    taking: list[float] = field(default_factory=list)

    def add(self, way: Way, mails: Sequence[Parcel], made: Sinks) -> None:
        """One round, into a sink of its own."""
        with made() as sink:
            cpu, theirs, began = _cpu(), processes.cpu(sink.pid), time.monotonic()
            way(sink.port, mails)
            self.rates.append(len(mails) / (time.monotonic() - began))
            self.spent.append((_cpu() - cpu) / len(mails) * 1e6)
            self.taking.append((processes.cpu(sink.pid) - theirs) / len(mails) * 1e6)
            if sink.mails() != len(mails):
                raise RuntimeError(f"the sink has {sink.mails()}, not {len(mails)} mails")


def _cpu() -> float:
    """Seconds of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Run all, print the ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--mails", type=int, default=20_000)
    asked.add_argument("--connections", type=int, default=8)
    asked.add_argument("--rounds", type=int, default=3)
    for program in ("smtp-source", "smtp-sink"):
        asked.add_argument(f"--{program}", default=shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"))
    options = asked.parse_args()
    made: dict[str, Sinks] = {"our sink": our_sink}
    if options.smtp_sink:
        made["smtp-sink"] = partial(postfix_sink, options.smtp_sink)
    for size in SIZES:
        mails = parcels(options.mails, letter(size))
        for name, one in made.items():
            print(f"{size:,} bytes, {len(mails):,} mails, {name}; load {os.getloadavg()[0]:.1f}")
            show(beside(mails, size, one, options), size)
    print("targets: at least 10 times smtplib, at least as fast as smtp-source; reach for twice its rate")


def beside(mails: Sequence[Parcel], size: int, made: Sinks, options: argparse.Namespace) -> dict[str, Told]:
    """All ways, turn by turn."""
    many = options.connections
    ways = {
        f"newsletter, {many} connections": ours(many),
        "newsletter, 1 connection": ours(1),
        "smtplib, pooled": pooled,
    }
    if options.smtp_source:
        for sessions in (1, many):
            ways[f"smtp-source, {sessions} sessions"] = smtp_source(options.smtp_source, size, sessions)
    told = {name: Told() for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            told[name].add(way, mails[: max(50, len(mails) // 10)] if way is pooled else mails, made)
    return told


def show(told: dict[str, Told], size: int) -> None:
    """Print medians, and how many times the others' ours are."""
    best, least = (
        statistics.median(figures) for figures in (next(iter(told.values())).rates, next(iter(told.values())).spent)
    )
    for name, one in told.items():
        rate, spent, taking = (statistics.median(figures) for figures in (one.rates, one.spent, one.taking))
        print(
            f"  {name:32} {rate:8,.0f} mails a second, {rate * size / 1e6:6,.0f} MB/s, ratio {best / rate:.1f}; "
            f"{spent:5.0f} µs of CPU a mail, ratio {spent / least:.1f}; the sink's {taking:.0f}"
        )


if __name__ == "__main__":
    main()
