"""How fast matching is, beside its peers, on the same posts and queries in one run.

python -m bench.matching                        everything: `make bench-matching`, which also installs the peers for the time
python -m bench.matching compare cold …         only some parts: compare, truth, cold, churn, worst
    --sizes 1000 10000 100000   --engines …   --seconds 8 (how long an engine may match, a size)

Figures are by CPU time (with a server's, where the engine is one), so that what else the machine does counts less.
Peers that are not installed are left out and named; PEERS_PYTHON is the interpreter that has them.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import corpus
from bench.churn import churn
from bench.cold import cold
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse

ROOT = Path(__file__).resolve().parents[1]
ENGINES = ("ours", "ours_with_places", "pyahocorasick", "hyperscan", "alternation", "tsquery")
PARTS = ("compare", "truth", "cold", "churn", "worst")
#: Most queries that an engine is asked, where more would take minutes.
MOST = {"alternation": 10_000}
#: How many times as fast as an engine we mean to be.
TARGETS = {"pyahocorasick": 2, "tsquery": 100}
POSTS = 1_000


@dataclass(frozen=True)
class Figure:
    """Something measured, beside what it is meant to be."""

    name: str
    value: str
    target: str
    met: bool


def main() -> None:
    """Read the command line, print tables, and at the end all figures that have a target."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}")
    options.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    options.add_argument("--seconds", type=float, default=8)
    chosen = options.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        options.error(f"there is no part {min(unknown)}: there are {', '.join(PARTS)}")
    top = max(chosen.sizes)
    figures: list[Figure] = []
    for part in chosen.parts or PARTS:
        print(f"\n{part}", flush=True)
        if part == "compare":
            figures += compare(chosen.sizes, chosen.engines, chosen.seconds)
        else:
            figures += {"truth": truth, "cold": first_match, "churn": changes, "worst": worst}[part](top)
    print(f"\n{'figure':58}{'measured':>18}{'target':>16}")
    for one in figures:
        print(f"{one.name:58}{one.value:>18}{one.target:>16}{'' if one.met else '  MISSED'}")


def compare(sizes: list[int], engines: list[str], seconds: float) -> list[Figure]:
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
                        f"{one['memory_mb']:>7.0f}{one['hits_per_post']:>11.1f}",
                        flush=True,
                    )
    return _ratios(results, sizes)


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


def _ratios(results: dict[tuple[str, int], dict[str, Any]], sizes: list[int]) -> list[Figure]:
    top, low = max(sizes), min(sizes)
    figures = []
    for (engine, size), one in results.items():
        ours = results.get(("ours", size))
        if ours is None or engine.startswith("ours"):
            continue
        ratio, wanted = ours["posts_per_second"] / one["posts_per_second"], TARGETS.get(engine) if size == top else None
        target = f">= {wanted}x" if wanted else ""
        figures.append(Figure(f"ours / {engine}, {size:,} queries", f"{ratio:.1f}x", target, ratio >= (wanted or 0)))
        if engine != "alternation":  # it loses what overlaps
            figures.append(_same(engine, size, one, ours))
    if ("ours", top) in results:
        memory = results["ours", top]["memory_mb"]
        figures.append(Figure(f"memory, {top:,} queries", f"{memory:.0f} MB", "<= 100 MB", memory <= 100))
        if low < top and ("ours", low) in results:
            growth = results["ours", low]["posts_per_second"] / results["ours", top]["posts_per_second"]
            figures.append(Figure(f"cost, {low:,} to {top:,} queries", f"{growth:.1f}x", "< 4x", growth < 4))
    return figures


def _same(engine: str, size: int, one: dict[str, Any], ours: dict[str, Any]) -> Figure:
    read = range(min(one["posts"], len(one["all_hits"]), len(ours["all_hits"])))
    differ = sum(len(set(one["all_hits"][post]) ^ set(ours["all_hits"][post])) for post in read)
    return Figure(f"  hits that differ, {len(read)} posts", str(differ), "0", differ == 0)


def first_match(size: int) -> list[Figure]:
    """The first match of a process that has nothing but the database: nine posts, the queries as readers' keywords."""
    told = cold(size)
    print(f"anchors of {told['made']['topics']:,} keywords written, once, in {told['made']['seconds']:.1f} s of CPU")
    for way in ("whole", "first", "first_again"):
        one = told[way]
        print(
            f"{way:12} {one['cpu_ms']:8.0f} ms of CPU, {one['ms']:8.0f} ms by the clock (posts read {one['read']:.0f}, "
            f"index {one['index']:.0f}, matched {one['match']:.0f}), {one['hits']:,} hits"
        )
    least = min(told["first"]["cpu_ms"], told["first_again"]["cpu_ms"])
    same = told["first"]["hits"] == told["whole"]["hits"]
    return [
        Figure(f"first match of a process, {size:,} keywords", f"{least:.0f} ms", "<= 20 ms", least <= 20),
        Figure("  the same hits as with the whole index", "yes" if same else "NO", "yes", same),
    ]


def changes(size: int) -> list[Figure]:
    """Matching while 1,000 queries a second change."""
    told = churn(size)
    kept, most = told["moving"] / told["still"], told["most"] * 1e3
    print(
        f"at rest {told['still']:,.0f} posts/s; with {told['changes']:,.0f} changes a second {told['moving']:,.0f} posts/s; "
        f"made anew {told['rebuilt']:.0f} times meanwhile; a change was seen after {told['median'] * 1e3:.0f} ms (median)"
    )
    return [
        Figure("speed kept under 1,000 changes a second", f"{kept:.0%}", ">= 80%", kept >= 0.8),
        Figure("a change is seen, at most after", f"{most:.0f} ms", "< 100 ms", most < 100),
    ]


def worst(size: int) -> list[Figure]:
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
        index = QueryIndex({number: compile_query(parse(query)) for number, query in queries.items()})
        started = time.perf_counter()
        met = index.matching_queries(Document("", text))
        print(f"{name}: {(time.perf_counter() - started) * 1e3:.0f} ms, {len(met)} of {len(queries)} met")
    words = [f"w{number:x}" for number in range(size)]
    index = QueryIndex({number: compile_query(parse(word)) for number, word in enumerate(words)})
    item = Document("", " ".join(words), "en")
    started = time.perf_counter()
    index.matching_topics(item)
    first = time.perf_counter() - started
    met_all = index.matching_queries(item)
    places = time.perf_counter() - started - first
    print(f"{size:,} topics that all hit: {first:.2f} s; with places {places:.2f} s, {len(met_all):,} met")
    return []


def truth(_: int) -> list[Figure]:
    """200 posts and 2,000 queries against the naive matcher of the tests, to the offset."""
    from tests.matching.naive import Naive

    made = corpus.make(200, 2_000, vocabulary=20_000)  # so that there is something to find
    queries = {number: parse(corpus.written(query)) for number, query in enumerate(made.queries)}
    index = QueryIndex({number: compile_query(query) for number, query in queries.items()})
    right = missed = wrong = 0
    for number, post in enumerate(made.posts):
        item = Document("", post, "en")
        met = {(one.topic_id, hit.start, hit.end) for one in index.matching_queries(item) for hit in one.hits}
        naive = Naive(item)
        expected = {
            (topic_id, start, end)
            for topic_id, query in queries.items()
            for _, start, end in naive.matches(query) or ()
        }
        right, missed, wrong = right + len(met & expected), missed + len(expected - met), wrong + len(met - expected)
        if number % 20 == 19:
            print(f"{number + 1} posts", file=sys.stderr)
    print(f"{right:,} places")
    return [
        Figure(
            "precision, 200 posts x 2,000 queries, to the offset",
            f"{right / (right + wrong):.2%}",
            "100.00%",
            not wrong,
        ),
        Figure("recall", f"{right / (right + missed):.2%}", "100.00%", not missed),
    ]


if __name__ == "__main__":
    main()
