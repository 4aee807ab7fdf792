"""How fast matching is, beside its peers, on the same posts and queries in one run.

python -m bench.matching [--sizes 1000 10000 100000] [--engines …]   posts per second, build, memory, growth
python -m bench.matching --cold | --churn | --worst                  the first match, changes while matching, the worst texts
python -m bench.matching --truth                                     precision and recall against the naive matcher

Peers that are not installed are left out and named; PEERS_PYTHON is the interpreter that has them (`make bench-matching`).
"""

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import corpus
from bench.ours import plans
from newsletter.matching.index import Index
from newsletter.matching.query import parse
from newsletter.matching.readable import Readable
from newsletter.matching.sought import compiled

ROOT = Path(__file__).resolve().parents[1]
ENGINES = ("ours", "ours_with_places", "pyahocorasick", "hyperscan", "alternation", "tsquery")
#: Most queries that an engine is asked, where more would take minutes.
MOST = {"alternation": 10_000}
POSTS = 1_000


def main() -> None:
    """Read the command line and print tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    options.add_argument("--seconds", type=float, default=8, help="how long an engine may match, a size")
    for name in ("cold", "churn", "worst", "truth"):
        options.add_argument(f"--{name}", action="store_true")
    chosen = options.parse_args()
    special = [run for name, run in SPECIAL.items() if getattr(chosen, name)]
    for run in special:
        run(max(chosen.sizes))
    if not special:
        compare(chosen.sizes, chosen.engines, chosen.seconds)


def compare(sizes: list[int], engines: list[str], seconds: float) -> None:
    """Every engine at every size in a process of its own, and what they found held against each other."""
    made = corpus.make(POSTS, max(sizes))
    results: dict[tuple[str, int], dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "corpus.pickle"
        path.write_bytes(pickle.dumps((made.posts, made.queries)))
        print(f"{'engine':18}{'queries':>9}{'posts/s':>10}{'build s':>9}{'MB':>7}{'hits/post':>11}")
        for size in sizes:
            for engine in engines:
                if size <= MOST.get(engine, size) and (one := _one(path, engine, size, seconds)):
                    results[engine, size] = one
                    print(
                        f"{engine:18}{size:>9,}{one['posts_per_second']:>10,.0f}{one['build_seconds']:>9.2f}"
                        f"{one['memory_mb']:>7.0f}{one['hits_per_post']:>11.1f}"
                    )
    _ratios(results, sizes)


def _one(path: Path, engine: str, size: int, seconds: float) -> dict[str, Any] | None:
    peer = engine in ("pyahocorasick", "hyperscan")
    python = os.environ.get("PEERS_PYTHON", sys.executable) if peer else sys.executable
    command = [python, str(ROOT / "bench" / "one.py"), str(path), engine, str(size), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{engine:18}{size:>9,}  left out: {done.stderr.strip().splitlines()[-1][:80]}")
        return None
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return read


def _ratios(results: dict[tuple[str, int], dict[str, Any]], sizes: list[int]) -> None:
    top, low = max(sizes), min(sizes)
    ours = results.get(("ours", top))
    if ours is None:
        return
    for (engine, size), one in results.items():
        if size == top and not engine.startswith("ours"):
            read = range(min(one["posts"], len(one["word_hits"]), len(ours["word_hits"])))
            same = all(one["word_hits"][post] == ours["word_hits"][post] for post in read)
            differ = sum(len(set(one["all_hits"][post]) ^ set(ours["all_hits"][post])) for post in read)
            print(
                f"ours / {engine} at {size:,}: {ours['posts_per_second'] / one['posts_per_second']:.1f}x; on {len(read)} posts "
                f"the same hits of one-word queries: {'yes' if same else 'NO'}, of all queries: {differ} differ"
            )
    if low < top and ("ours", low) in results:
        print(
            f"growth from {low:,} to {top:,}: {results['ours', low]['posts_per_second'] / ours['posts_per_second']:.2f}x"
        )


def cold(size: int) -> None:
    """The first match of a process that has the compiled queries: nine posts."""
    made = corpus.make(9, size)
    started = time.perf_counter()
    compiled_ones = plans(made.queries)
    print(f"reading {size:,} queries: {time.perf_counter() - started:.2f} s")
    items = [Readable("", post, "en") for post in made.posts]
    started = time.perf_counter()
    index = Index(compiled_ones)
    met = [index.topics(item) for item in items]
    print(
        f"index built, and 9 posts matched: {(time.perf_counter() - started) * 1e3:.0f} ms, {sum(map(len, met))} hits"
    )
    started = time.perf_counter()
    again = [index.topics(item) for item in items]
    assert met == again  # noqa: S101
    print(f"9 posts matched once more: {(time.perf_counter() - started) * 1e3:.1f} ms")


def churn(size: int) -> None:
    """Matching at rest, then with 1,000 changes of queries a second, put on top every 50 ms and rebuilt in the background."""
    made = corpus.make(POSTS, size + 20_000)
    items = [Readable("", post, "en") for post in made.posts]
    state = {"index": Index(plans(made.queries[:size]))}
    still = _speed(items, state, 5)
    waits: list[float] = []
    with _changes(state, made.queries[size:], size, waits):
        moving = _speed(items, state, 10)
    print(f"at rest {still:,.0f} posts/s; with 1,000 changes a second {moving:,.0f} posts/s ({moving / still:.0%})")
    visible = f"a change was visible after {statistics.median(waits) * 1e3:.0f} ms (median), {max(waits) * 1e3:.0f} ms at most"
    print(f"{visible}; {len(waits) * 50 / 10:,.0f} changes a second were made")


def _speed(items: list[Readable], state: dict[str, Index], seconds: float) -> float:
    for item in items:  # words are known from here on
        state["index"].topics(item)
    started, cpu, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - started < seconds:
        state["index"].topics(items[done % len(items)])
        done += 1
    return done / (time.process_time() - cpu)


@contextmanager
def _changes(state: dict[str, Index], fresh: list[corpus.Query], size: int, waits: list[float]) -> Iterator[None]:
    """50 changes every 50 ms, half new and half edited: read, compiled and put on top; all rebuilt in the background."""
    stop, lock = threading.Event(), threading.Lock()
    since: list[dict[int, Any]] = []

    def rebuild(index: Index) -> None:
        made = index.rebuilt()
        with lock:
            for added in since:
                made = made.with_(added)
            state["index"] = made

    def run() -> None:
        done, rebuilding = 0, threading.Thread()
        while not stop.is_set():
            started = time.perf_counter()
            some = [fresh[(done + number) % len(fresh)] for number in range(50)]
            compiled_ones = plans(some)
            ids = [size + done + number if number % 2 else (done + number) % size for number in range(50)]
            added = {topic_id: compiled_ones[n] for n, topic_id in enumerate(ids)}
            with lock:
                state["index"] = state["index"].with_(added)
            waits.append(time.perf_counter() - started + 0.05)  # the worst: it came just after the last look
            done += 50
            since.append(added)
            if state["index"].changes > 2_000 + size // 10 and not rebuilding.is_alive():
                since.clear()
                rebuilding = threading.Thread(target=rebuild, args=(state["index"],))
                rebuilding.start()
            stop.wait(max(0.0, 0.05 - (time.perf_counter() - started)))
        print("writer cpu", time.thread_time())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def worst(size: int) -> None:
    """Texts and queries made to hurt."""
    wildcards = " OR ".join(f"{a}{b}a*" for a in "abcde" for b in "abcd")
    asked = {
        "200 kB of one letter, unspaced": ({0: "a", 1: "aaa*", 2: "aaaa"}, "a" * 200_000),
        "200 kB of one letter, spaced": (
            {0: "a", 1: '"a a a a a a a a"', 2: '"a b"~100', 3: '"a aa"~100'},
            "a " * 100_000,
        ),
        "20 wildcards, each everywhere": (
            {0: wildcards},
            " ".join(f"{a}{b}a" for a in "abcde" for b in "abcd") * 2_500,
        ),
        "200 kB of 維": ({0: "维", 1: "维维维", 2: '"维 维"'}, "維" * 66_000),
        "200 kB that is nothing but marks": ({0: "a"}, "a\u0301\u0302\u200d" * 28_000),
    }
    for name, (queries, text) in asked.items():
        index = Index({number: compiled(parse(query)) for number, query in queries.items()})
        started = time.perf_counter()
        met = index.meet(Readable("", text))
        print(f"{name}: {(time.perf_counter() - started) * 1e3:.0f} ms, {len(met)} of {len(queries)} met")
    words = [f"w{number:x}" for number in range(size)]
    index = Index({number: compiled(parse(word)) for number, word in enumerate(words)})
    item = Readable("", " ".join(words), "en")
    started = time.perf_counter()
    index.topics(item)
    first = time.perf_counter() - started
    met_all = index.meet(item)
    places = time.perf_counter() - started - first
    print(f"{size:,} topics that all hit: {first:.2f} s; with places {places:.2f} s, {len(met_all):,} met")


def truth(_: int) -> None:
    """200 posts and 2,000 queries against the naive matcher of the tests, to the offset."""
    from tests.matching.naive import Naive

    made = corpus.make(200, 2_000, vocabulary=20_000)  # so that there is something to find
    queries = {number: parse(corpus.written(query)) for number, query in enumerate(made.queries)}
    index = Index({number: compiled(query) for number, query in queries.items()})
    right = missed = wrong = 0
    for number, post in enumerate(made.posts):
        item = Readable("", post, "en")
        met = {(one.topic_id, hit.start, hit.end) for one in index.meet(item) for hit in one.hits}
        naive = Naive(item)
        expected = {
            (topic_id, start, end)
            for topic_id, query in queries.items()
            for _, start, end in naive.matches(query) or ()
        }
        right, missed, wrong = right + len(met & expected), missed + len(expected - met), wrong + len(met - expected)
        if number % 20 == 19:
            print(f"{number + 1} posts", file=sys.stderr)
    print(f"{right:,} places: precision {right / (right + wrong):.2%}, recall {right / (right + missed):.2%}")


SPECIAL = {"cold": cold, "churn": churn, "worst": worst, "truth": truth}

if __name__ == "__main__":
    main()
