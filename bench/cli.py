"""How long commands take to answer, beside `python -c "import django"`, which no Django command can beat.

Each round runs every command once, one after the other, so that all of them meet the same load; the medians are of wall time
and of CPU time (user and system), in seconds. The data directory is fresh, and byte code is cached by a first round.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASE = "import django"
COMMANDS: dict[str, tuple[str, ...]] = {
    BASE: ("-c", "import django"),
    "--help": ("-m", "newsletter", "--help"),
    "feeds --help": ("-m", "newsletter", "feeds", "--help"),
    "status": ("-m", "newsletter", "status"),
    "feeds list": ("-m", "newsletter", "feeds", "list"),
    "topics list": ("-m", "newsletter", "topics", "list"),
    "match --query": ("-m", "newsletter", "match", "--query", "glacier"),
}


def run(words: tuple[str, ...], environment: dict[str, str]) -> tuple[float, float]:
    """Run Python with these words; returns its wall time and its CPU time."""
    began = time.perf_counter()
    started = subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {started.returncode}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime


def main() -> None:
    """Print one line for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    with tempfile.TemporaryDirectory() as directory:
        environment |= {"NEWSLETTER_DATA_DIR": directory, "PYTHONPATH": str(ROOT)}
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
        for number in range(rounds + 1):
            for name, words in COMMANDS.items():
                taken = run(words, environment)
                if number:
                    measured[name].append(taken)
    print(f"{'':14} {'wall':>7} {'CPU':>7} {'wall ÷ django':>14} {'CPU ÷ django':>13}   medians of {rounds}")
    medians = {name: tuple(map(statistics.median, zip(*runs, strict=True))) for name, runs in measured.items()}
    for name, (wall, cpu) in medians.items():
        print(f"{name:14} {wall:7.3f} {cpu:7.3f} {wall / medians[BASE][0]:14.1f} {cpu / medians[BASE][1]:13.1f}")


if __name__ == "__main__":
    main()
