"""One alert to a million subscribers: how long from "entry stored" to "all accepted", stage by stage?

    python -m bench.end_to_end [--people 1000000] [--provider sendgrid|smtp] [--peer 300]

PostgreSQL with fsync on, Redis, beat and two Celery workers as they are deployed; addresses sealed, three topics for each
person, the ledger as always. The mails go to a sink in a process of its own, whose log is the judge: every address once.
Beside it, in the same run: the same requests prebuilt and posted by http.client (what the sink can take), and the usual
pipeline, a task and a rendering and a request for each person, on some of them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import million, processes, sinks
from tests import services

#: The targets of the design: seconds for a million, MB for each process, times the usual pipeline, seconds to the first 1,000.
WITHIN, MEMORY, TIMES, FIRST = 15.0, 400.0, 500.0, 2.0
WORKERS = 2


@dataclass(frozen=True)
class Run:
    """What one run showed. Moments are seconds since the entry was stored."""

    moments: dict[str, float]
    accepted: int
    batches: int
    cpu: dict[str, float]
    memory: dict[str, float]


def run(
    server: services.Postgres, redis: services.Redis, template: str, provider: str, people: int
) -> tuple[Run, float]:
    """Our road once; also how many mails a second the same sink takes of prebuilt requests (0 for SMTP)."""
    redis.command("FLUSHALL")
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "recipients"
        with (sinks.sendgrid if provider == "sendgrid" else sinks.smtp)(log) as sink:
            url = server.new_database(template=template.rpartition("/")[2])
            told = million.environment(
                Path(directory) / "data", url, NEWSLETTER_BROKER_URL=redis.url, **_mail(provider, sink)
            )
            (Path(directory) / "data").mkdir(mode=0o700)
            os.environ.update(told)
            with _workers(told, Path(directory)) as pids:
                postmaster = server.pid
                before = _cpu(pids, sink, postmaster)
                began = _store()
                _wait(lambda: sink.taken().recipients >= people and _closed())
                spent = {name: used - before[name] for name, used in _cpu(pids, sink, postmaster).items()}
                memory = {f"worker {number}": processes.peak_mb(pid) for number, pid in enumerate(pids, 1)}
            judge(log, people)
            done = Run(*_told(began), spent, memory)
            return done, _raw_limit(sink, people, done.batches) if provider == "sendgrid" else 0.0


def judge(log: Path, people: int) -> None:
    """The sink's own log: every address once, and no other.

    Raises:
        RuntimeError: it is not so.
    """
    with log.open() as lines:
        told = [line.rstrip("\n") for line in lines]
    wanted = {million.address(number) for number in range(people)}
    if len(told) != people or set(told) != wanted:
        raise RuntimeError(f"{len(told)} mails to {len(set(told))} addresses, {people} were owed one")


def show(done: Run, people: int, raw: float) -> None:
    """Print one run."""
    print(f"  {'entry stored':34} {0:8.2f} s")
    for name, moment in done.moments.items():
        print(f"  {name:34} {moment:8.2f} s")
    total = done.moments["all accepted"]
    print(
        f"  {people / total:,.0f} mails a second in {done.batches:,} batches"
        + (f"; the sink alone {raw:,.0f}" if raw else "")
    )
    print("  CPU s: " + ", ".join(f"{name} {used:.1f}" for name, used in done.cpu.items()))
    print("  peak MB: " + ", ".join(f"{name} {most:.0f}" for name, most in done.memory.items()))


def _mail(provider: str, sink: sinks.Sink) -> dict[str, str]:
    if provider == "smtp":
        return {"NEWSLETTER_MAIL_URL": f"{sink.url}?tls=no"}
    return {
        "NEWSLETTER_MAIL_URL": "sendgrid:",
        "NEWSLETTER_SENDGRID_API_KEY": "SG.for-the-sink",
        "NEWSLETTER_SENDGRID_URL": sink.url,
    }


@contextmanager
def _workers(told: dict[str, str], directory: Path) -> Iterator[list[int]]:
    """Beat and the workers, as deployed; gives the pids of the processes that work."""
    log = (directory / "log").open("wb")
    celery = [sys.executable, "-m", "celery", "-A", os.environ.get("BENCH_APP", "worker")]
    commands = [
        [*celery, "worker", f"--concurrency={WORKERS}", "--loglevel=WARNING"],
        [*celery, "beat", "--loglevel=WARNING"],
    ]
    running = [subprocess.Popen(command, env=told, cwd=million.ROOT, stdout=log, stderr=log) for command in commands]
    try:
        _wait(lambda: len(processes.family(running[0].pid)) == WORKERS + 1, 30)
        time.sleep(3)  # children connect, beat publishes for the first time
        yield processes.family(running[0].pid)[1:]
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(timeout=60)
        told_by_workers = (directory / "log").read_text(errors="replace")
        if '"level": "error"' in told_by_workers or "Traceback" in told_by_workers or os.environ.get("BENCH_LOG"):
            print(told_by_workers[-3000:], file=sys.stderr)


def _store() -> float:
    """Store the entry and publish `match`, as a poll does; returns the database's time, a UNIX time."""
    import django

    django.setup()
    from django.db import connection

    from newsletter.lib import db
    from newsletter.worker import tasks

    connection.close()
    connection.settings_dict["NAME"] = os.environ["NEWSLETTER_DATABASE_URL"].rpartition("/")[2]
    million.store_entry(at=db.now())
    began = db.now().timestamp()
    tasks.publish("match")
    return began


def _closed() -> bool:
    """Whether the sum closes: everything is composed, and no batch waits or is under way."""
    from newsletter.lib import db

    return not db.rows(
        "SELECT 1 FROM batch WHERE state IN ('planned', 'claimed', 'sending') "
        "UNION ALL SELECT 1 FROM gathering WHERE composed_at IS NULL LIMIT 1"
    )


def _told(began: float) -> tuple[dict[str, float], int, int]:
    """The ledger's own stamps: moments of the stages, deliveries accepted, batches."""
    from newsletter.lib import db

    accepted = db.rows(
        "SELECT a.ended_at, b.size FROM attempt a JOIN batch b ON b.id=a.batch_id WHERE a.outcome='accepted' ORDER BY 1"
    )
    first, rest = None, 1000
    for ended_at, size in accepted:
        rest -= size
        if rest <= 0:
            first = ended_at
            break
    [(matched, closed, composed, edition)] = db.rows(
        'SELECT (SELECT max(matched_at) FROM "match"), max(o.created_at), max(g.composed_at), '
        "(SELECT min(created_at) FROM edition) FROM gathering g JOIN occasion o ON o.id=g.occasion_id WHERE o.kind='alert'"
    )
    moments = {
        "items met the topics": matched,
        "gathering closed": closed,
        "first chunk composed": edition,
        "first 1,000 accepted": first or accepted[-1][0],
        "all planned": composed,
        "all accepted": accepted[-1][0],
    }
    told = {name: moment.timestamp() - began for name, moment in moments.items()}
    return told, sum(size for _, size in accepted), len(accepted)


def _cpu(pids: list[int], sink: sinks.Sink, postmaster: int) -> dict[str, float]:
    return {
        "workers": sum(map(processes.cpu, pids)),
        "PostgreSQL": sum(map(processes.cpu, processes.family(postmaster))),
        "sink": processes.cpu(sink.pid),
    }


def _raw_limit(sink: sinks.Sink, people: int, batches: int, requests: int = 1000) -> float:
    """Mails a second of one prebuilt request of the same size, posted again and again on one kept connection."""
    import http.client

    share = max(1, people // batches)
    size = sink.taken().size // batches
    one = '{"to":[{"email":"%s"}]}'
    plain = ",".join(one % million.address(number) for number in range(share))
    body = ('{"personalizations":[' + plain + '],"content":"' + "x" * max(0, size - len(plain) - 40) + '"}').encode()
    line = http.client.HTTPConnection("127.0.0.1", sink.port)
    began = time.monotonic()
    for _ in range(requests):
        line.request("POST", "/v3/mail/send", body, {"Content-Type": "application/json"})
        line.getresponse().read()
    return share * requests / (time.monotonic() - began)


def _wait(done: Callable[[], bool], seconds: float = 3600) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not done within {seconds:.0f} s")
        time.sleep(0.1)


def main() -> None:
    """Run, print, compare."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=1_000_000)
    asked.add_argument("--provider", choices=["sendgrid", "smtp", "both"], default="both")
    asked.add_argument("--peer", type=int, default=300, help="people whom the usual pipeline mails; 0: leave it out")
    asked.add_argument("--runs", type=int, default=1)
    options = asked.parse_args()
    providers = ["sendgrid", "smtp"] if options.provider == "both" else [options.provider]
    redis = services.Redis()
    redis.start()
    try:
        with million.postgres() as server:
            began = time.monotonic()
            template = million.seeded(server, options.people)
            print(
                f"{options.people:,} subscribers seeded in {time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}"
            )
            compare(server, redis, template, providers, options)
    finally:
        redis.close()


def compare(
    server: services.Postgres, redis: services.Redis, template: str, providers: list[str], options: argparse.Namespace
) -> None:
    """Every provider, then the usual pipeline on a sample."""
    for provider in providers:
        for _ in range(options.runs):
            done, raw = run(server, redis, template, provider, options.people)
            print(f"{provider}: one alert to {options.people:,} people, every address once in the sink's log")
            show(done, options.people, raw)
            if options.peer and provider == "sendgrid":
                _beside(server, redis, template, done, options)


def _beside(
    server: services.Postgres, redis: services.Redis, template: str, done: Run, options: argparse.Namespace
) -> None:
    from bench.peers import usual_pipeline

    usual, usual_work = usual_pipeline.measure(server, redis, template, options.peer)
    ours = options.people / done.moments["all accepted"]
    work = options.people / (done.cpu["workers"] + done.cpu["PostgreSQL"])
    print(
        f"  the usual pipeline, {options.peer} people: {usual:,.0f} mails a second, {usual_work:,.0f} for each CPU second; "
        f"ratio {ours / usual:,.0f} by the clock, {work / usual_work:,.0f} by CPU seconds, target {TIMES:.0f}"
    )
    reached = done.moments["first 1,000 accepted"] - done.moments["gathering closed"]
    print(
        f"  targets for 1,000,000: {WITHIN:.0f} s ({done.moments['all accepted'] * 1e6 / options.people:.1f} at this pace), "
        f"{MEMORY:.0f} MB ({max(done.memory.values()):.0f}), first 1,000 within {FIRST:.0f} s of the close ({reached:.2f})"
    )


if __name__ == "__main__":
    main()
