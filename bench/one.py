"""One engine, one number of queries, in a process of its own: build, match within a time, and say what it took, as JSON.

python bench/one.py CORPUS.pickle ENGINE QUERIES SECONDS
"""

import json
import pickle
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(corpus: str, engine: str, number: int, seconds: float) -> None:
    """Print a line of JSON."""
    posts, queries = pickle.loads(Path(corpus).read_bytes())
    queries = queries[:number]
    if engine != "tsquery":
        _engine(engine, queries[:1])  # what is imported is not what queries take
    before = _memory()
    clock = time.perf_counter()
    match = _engine(engine, queries)
    built = time.perf_counter() - clock
    after = _memory()
    met = [match(post) for post in posts[:1]]
    taken: list[float] = []
    clock = time.perf_counter()
    while not taken or time.perf_counter() - clock < seconds / 2:  # the last full round counts: words are known by then
        taken, met = [], []
        for post in posts:
            started = time.perf_counter()
            found = match(post)
            taken.append(time.perf_counter() - started)
            met.append(len(found))
            if time.perf_counter() - clock > seconds:
                break
    memory = _memory() - before
    shown = [match(post) for post in posts[: min(len(taken), 100)]]
    words = {number for number, query in enumerate(queries) if query[0] == "word"}
    print(
        json.dumps(
            {
                "engine": engine,
                "queries": number,
                "posts": len(taken),
                "posts_per_second": len(taken) / sum(taken),
                "median_us": statistics.median(taken) * 1e6,
                "build_seconds": built,
                "memory_mb": memory / 1e6,
                "build_memory_mb": (after - before) / 1e6,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
                "hits_per_post": sum(met) / len(met),
                "word_hits": [sorted(one & words) for one in shown],
                "all_hits": [sorted(one) for one in shown],
            }
        )
    )
    close = getattr(match, "close", None)
    if close:
        close()


def _engine(name: str, queries: list[tuple[object, ...]]) -> Callable[[str], set[int]]:
    if name.startswith("ours"):
        from bench.ours import matcher

        return matcher(queries, places=name == "ours_with_places")
    from bench.peers.engines import ENGINES

    made: Callable[[str], set[int]] = ENGINES[name](queries)
    return made


def _memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
