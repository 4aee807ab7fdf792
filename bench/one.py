"""One engine, one number of queries, in a process of its own: build, match within a time, and say what it took, as JSON.

python bench/one.py CORPUS.pickle ENGINE QUERIES SECONDS
"""

import json
import pickle
import resource
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
    clock = time.process_time()
    match = _engine(engine, queries)
    built = time.process_time() - clock
    after = _memory()
    match(posts[0])
    rounds: list[tuple[float, int, int]] = []
    ends = time.process_time() + seconds
    while len(rounds) < 3 or time.process_time() < ends:
        rounds.append(_round(match, posts, seconds))
        if rounds[-1][1] < len(posts):
            break
    taken, read, hits = min(rounds, key=lambda one: one[0] / one[1])
    memory = _memory() - before
    shown = [match(post) for post in posts[: min(read, 100)]]
    words = {number for number, query in enumerate(queries) if query[0] == "word"}
    print(
        json.dumps(
            {
                "engine": engine,
                "queries": number,
                "posts": read,
                "posts_per_second": read / taken,
                "build_seconds": built,
                "memory_mb": memory / 1e6,
                "build_memory_mb": (after - before) / 1e6,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
                "hits_per_post": hits / read,
                "word_hits": [sorted(one & words) for one in shown],
                "all_hits": [sorted(one) for one in shown],
            }
        )
    )
    close = getattr(match, "close", None)
    if close:
        close()


def _round(match: Callable[[str], set[int]], posts: list[str], seconds: float) -> tuple[float, int, int]:
    """CPU seconds, posts and hits of one round, also of the server where the engine is one: what else the machine does
    counts less so. The fastest round is told: by then words are known."""
    server: Callable[[], float] = getattr(match, "cpu", lambda: 0.0)
    started, hits, read = time.process_time() + server(), 0, 0
    for post in posts:
        hits, read = hits + len(match(post)), read + 1
        if time.process_time() + server() - started > seconds:
            break
    return time.process_time() + server() - started, read, hits


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
