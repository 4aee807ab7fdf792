"""Personalised mails by SMTP into a sink: how many a second leave our carrier, beside smtplib and Postfix's smtp-source?

    python -m bench.delivery_smtp [--mails 20000] [--connections 8] [--smtp-source PATH]

Our carrier is given real parcels in windows of 50, as the worker gives them. smtplib is pooled (one kept connection) and
mails texts whose personal places are filled by str.replace: the usual way, and a cheap one. smtp-source, where it is
installed, sends the same number of mails of the same size that are all alike. Sinks count every recipient.
"""

import argparse
import os
import shutil
import smtplib
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench import sinks
from bench.letters import DATE, SENDER, letter, parcels
from newsletter.handover import Accepted, Parcel
from newsletter.providers.letters import Letters
from newsletter.providers.smtp import Smtp

SIZES = (10_000, 54_000)
Way = Callable[[sinks.Sink, Sequence[Parcel]], None]


def ours(connections: int) -> Way:
    """Our carrier with so many connections."""

    def send(sink: sinks.Sink, mails: Sequence[Parcel]) -> None:
        carrier = Smtp(urlsplit(f"{sink.url}?connections={connections}"), SENDER)
        window = carrier.window or 50
        for start in range(0, len(mails), window):
            outcomes = carrier.hand_over(mails[start : start + window])
            if not all(isinstance(outcome, Accepted) for outcome in outcomes.values()):
                raise RuntimeError("not all were accepted")
        carrier.close()

    return send


def pooled(sink: sinks.Sink, mails: Sequence[Parcel]) -> None:
    """smtplib on one kept connection, a text for everybody."""
    text = Letters(SENDER).message(mails[0], DATE).decode()
    marks = [value for value in mails[0].personal.values() if value]
    with smtplib.SMTP("127.0.0.1", sink.port) as server:
        for one in mails:
            own = text.replace(mails[0].address.value, one.address.value)
            for mark, value in zip(marks, [value for value in one.personal.values() if value], strict=True):
                own = own.replace(mark, value)
            server.sendmail(SENDER.address, [one.address.value], own)


def smtp_source(program: str, size: int, sessions: int) -> Way:
    """Postfix's own load generator with so many sessions that are kept."""

    def send(sink: sinks.Sink, mails: Sequence[Parcel]) -> None:
        command = [program, "-d", "-s", str(sessions), "-l", str(size), "-m", str(len(mails))]
        subprocess.run([*command, "-f", "a@example.org", "-t", "b@example.org", f"127.0.0.1:{sink.port}"], check=True)

    return send


def rate(way: Way, mails: Sequence[Parcel], rounds: int) -> tuple[float, float]:
    """Mails a second and the sender's own µs of CPU for each, medians of some rounds, each into a sink of its own."""
    rates, spent = [], []
    for _ in range(rounds):
        with sinks.smtp() as sink:
            began, cpu = time.monotonic(), _cpu()
            way(sink, mails)
            rates.append(len(mails) / (time.monotonic() - began))
            spent.append((_cpu() - cpu) / len(mails) * 1e6)
            if sink.taken().recipients != len(mails):
                raise RuntimeError(f"the sink has {sink.taken()}, not {len(mails)} mails")
    return statistics.median(rates), statistics.median(spent)


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
    asked.add_argument("--smtp-source", default=shutil.which("smtp-source", path=f"{os.environ['PATH']}:/usr/sbin"))
    options = asked.parse_args()
    for size in SIZES:
        began = time.monotonic()
        mails = parcels(options.mails, letter(size))
        made = (time.monotonic() - began) / len(mails) * 1e6
        print(f"{size:,} bytes, {len(mails):,} mails; a parcel takes {made:.1f} µs")
        few = mails[: max(50, len(mails) // 10)]
        here = {
            f"newsletter, {options.connections} connections": rate(ours(options.connections), mails, options.rounds),
            "newsletter, 1 connection": rate(ours(1), mails, 1),
            "smtplib, pooled": rate(pooled, few, options.rounds),
        }
        if options.smtp_source and Path(options.smtp_source).exists():
            for sessions in (1, options.connections):
                name = f"smtp-source, {sessions} sessions"
                here[name] = rate(smtp_source(options.smtp_source, size, sessions), mails, options.rounds)
        best, least = next(iter(here.values()))
        for name, (figure, cpu) in here.items():
            print(
                f"  {name:32} {figure:8,.0f} mails a second, {figure * size / 1e6:6,.0f} MB/s, ratio {best / figure:.1f}; "
                f"{cpu:5.0f} µs of CPU a mail, ratio {cpu / least:.1f}"
            )
    print("targets: at least 10 times smtplib, at least as fast as smtp-source")


if __name__ == "__main__":
    main()
