"""`python -m tests.faults [--only S1,S4] [--seed N]`: the scenarios at full size, a line of the table each."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests import services
from tests.faults import ground, scenarios
from tests.faults.scenarios import Result, World


@dataclass(frozen=True)
class Full:
    """A scenario at full size: people, mails in a batch, and how it is run."""

    people: int
    size: int
    run: Callable[[World], Result]
    smtp: bool = False
    sqlite: bool = False
    #: True: the judge must find it guilty.
    guilty: bool = False


FULL = {
    "S1": Full(20_000, 10, lambda world: scenarios.killed(world, 200, share=0.02, pace=0.35)),
    "S1-smtp": Full(5_000, 50, lambda world: scenarios.killed(world, 60, share=0.02, pace=0), smtp=True),
    "control": Full(5_000, 10, lambda world: scenarios.send_then_mark(world, 40, share=0.1, pace=0.25), guilty=True),
    "S2": Full(5_000, 10, lambda world: scenarios.killed(world, 80, share=0.05, pace=0.4, parents=0)),
    "S3": Full(5_000, 10, lambda world: scenarios.rolled(world, 12, pace=0.5)),
    "S4": Full(10_000, 10, lambda world: scenarios.without_redis(world, 600, pace=0.55, rounds=10)),
    "S5": Full(5_000, 10, lambda world: scenarios.crashed_database(world, 20, share=0.02, pace=0.6)),
    "S6": Full(5_000, 10, scenarios.bad_provider),
    "S7": Full(5_000, 10, lambda world: scenarios.doubtful_provider(world, 0.1)),
    "S9": Full(5_000, 10, lambda world: scenarios.rung_too_often(world, 25)),
    "S18": Full(5_000, 10, lambda world: scenarios.leaving(world, 1_000)),
    "S19": Full(5_000, 100, scenarios.restored),
    "S20": Full(4_000, 10, lambda world: scenarios.on_sqlite(world, 25, share=0.05, pace=0.2), sqlite=True),
}
_HEAD = "| scenario | seed | mails | kills | double | lost | stuck | unknown (taken, never) | recovered | facts |"


def main() -> int:
    """Run what was asked for; 1 when the promise was broken anywhere, or the control was not found guilty."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults")
    asked.add_argument("--only", default=",".join(FULL))
    asked.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    given = asked.parse_args()
    print(f"{_HEAD}\n|{'---|' * 10}", flush=True)
    good = [_run(name, FULL[name], given.seed) for name in given.only.split(",")]
    return 0 if all(good) else 1


def _run(name: str, full: Full, seed: int) -> bool:
    directory = Path(tempfile.mkdtemp(prefix="newsletter-faults-"))
    postgres = None if full.sqlite else services.Postgres(durable=True)
    redis = services.Redis()
    try:
        if postgres is not None:
            postgres.start()
        redis.start()
        template = ground.Template(postgres, directory, full.people, full.size)
        with scenarios.world(template, redis, directory / name, seed, smtp=full.smtp) as world:
            result = full.run(world)
        print(_line(name, seed, result), flush=True)
        return result.verdict.kept != full.guilty
    finally:
        redis.close()
        if postgres is not None:
            postgres.stop()
        shutil.rmtree(directory)


def _line(name: str, seed: int, result: Result) -> str:
    found = result.verdict
    unknown = f"{found.unknown} ({found.unknown_taken}, {found.unknown_never})"
    recovered = "not in time" if result.recovered is None else f"{result.recovered:.1f} s"
    facts = ", ".join(f"{name}: {value}" for name, value in result.facts.items())
    words = (name, seed, found.planned, result.kills, found.double, found.lost, found.stuck, unknown, recovered, facts)
    return f"| {' | '.join(map(str, words))} |"


if __name__ == "__main__":
    sys.exit(main())
