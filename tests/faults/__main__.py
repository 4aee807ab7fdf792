"""`python -m tests.faults [--only S1,S4] [--seed N]`: the scenarios at full size, a line of the table each."""

import argparse
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests import services
from tests.faults import answers, crash_points, flood, killing, outages, people, repeats, servers, table, windows
from tests.faults.environment import Result, World, world
from tests.faults.killer import Aim


@dataclass(frozen=True)
class Full:
    """A scenario at full size: people, mails in a batch, how it is run, and on what (`kind`: see seed.py)."""

    people: int
    size: int
    run: Callable[[World], Result]
    kind: str = "planned"
    smtp: bool = False
    sqlite: bool = False
    #: True: the judge must find it guilty.
    guilty: bool = False


CHILDREN = (Aim(40, parents=0), Aim(80, parents=1))

FULL = {
    "S1": Full(20_000, 10, lambda world: killing.killed(world, Aim(200), share=0.02, pace=0.35, events=True)),
    "S1-smtp": Full(16_000, 50, lambda world: killing.killed(world, Aim(60), share=0.02, pace=0), smtp=True),
    "control": Full(5_000, 10, lambda world: killing.send_then_mark(world, 40, share=0.1, pace=0.25), guilty=True),
    "S2": Full(6_000, 10, lambda world: killing.killed(world, *CHILDREN, share=0.05, pace=0.4)),
    "S3": Full(8_000, 10, lambda world: killing.rolled(world, 12, pace=0.35, every=5)),
    "S4": Full(24_000, 10, lambda world: outages.without_redis(world, 600, pace=0.9, rounds=10, frozen=60)),
    "S5": Full(6_000, 10, lambda world: outages.crashed_database(world, 20, share=0.02, pace=0.6, frozen=30, full=15)),
    "S6": Full(5_000, 10, answers.bad_provider),
    "S7": Full(5_000, 10, lambda world: answers.doubtful_provider(world, 0.1)),
    "S8": Full(5_000, 10, lambda world: repeats.beaten(world, (2, 5), every=0.8), kind="digests"),
    "S9": Full(5_000, 10, lambda world: repeats.rung_too_often(world, 25)),
    "S12": Full(5_000, 500, lambda world: answers.poisoned(world, 3), kind="poison"),
    "S15": Full(50_000, 100, lambda world: people.many(world, 20), kind="alert"),
    "S17": Full(10_000, 100, lambda world: flood.flooded(world, pace=0.2)),
    "S18": Full(5_000, 10, lambda world: people.leaving(world, 1_000)),
    "S19": Full(5_000, 100, lambda world: people.restored(world, 10)),
    "S20": Full(
        12_000, 10, lambda world: killing.on_sqlite(world, 25, share=0.05, pace=0.2, pause=(3, 5)), sqlite=True
    ),
    "S25": Full(10_000, 100, lambda world: windows.killed(world, 25, slow=0.1), smtp=True),
    "S26": Full(12_000, 75, lambda world: windows.host_lost(world, 4, slow=0.2), smtp=True),
    "S27": Full(12_000, 100, lambda world: windows.cut_off(world, 4, slow=0.1, seconds=35), smtp=True),
    "S21": Full(5_000, 10, lambda world: killing.upgraded(world, 3, pace=0.4)),
}
#: Those that need no installation, by seed.
ALONE: dict[str, Callable[[int], Result]] = {"S22": lambda _seed: crash_points.confused(1_000)}


def main() -> int:
    """Run what was asked for; 1 when the promise was broken anywhere, or the control was not found guilty."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults")
    asked.add_argument("--only", default=",".join((*FULL, *ALONE)), help="names with commas: %(default)s")
    asked.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    given = asked.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended
    names = given.only.split(",")
    if strangers := set(names) - {*FULL, *ALONE}:
        asked.error(f"no such scenario: {', '.join(sorted(strangers))}")
    rows, good = [], True
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        row, kept = _tried(name, given.seed)
        print(row, flush=True)
        rows.append(row)
        good &= kept
    print("\n".join(("", table.line(table.HEAD), table.line(("---",) * len(table.HEAD)), *rows)))
    return 0 if good else 1


def _tried(name: str, seed: int) -> tuple[str, bool]:
    """(the scenario's line, whether all was as it must be); one that breaks does not stop the others."""
    began = time.monotonic()
    guilty = name in FULL and FULL[name].guilty
    try:
        result = ALONE[name](seed) if name in ALONE else _run(name, FULL[name], seed)
    except (AssertionError, OSError, RuntimeError, psycopg.Error, sqlite3.Error, subprocess.SubprocessError) as error:
        return table.failed(name, seed, error, time.monotonic() - began), False
    return table.row(name, seed, result, time.monotonic() - began, guilty), bool(result.broken) == guilty


def _run(name: str, full: Full, seed: int) -> Result:
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="newsletter-faults-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        postgres = None
        if not full.sqlite:
            postgres = services.Postgres(durable=True)
            stack.callback(postgres.stop)
            postgres.start()
        redis = services.Redis()
        stack.callback(redis.close)
        redis.start()
        template = servers.Template(postgres, directory, full.people, full.size, full.kind)
        made = stack.enter_context(world(template, redis, directory / name, seed, smtp=full.smtp))
        with table.Progress(name, made):
            return full.run(made)


if __name__ == "__main__":
    sys.exit(main())
