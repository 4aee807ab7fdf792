"""Matching at rest, then while 1,000 queries a second change: each new or edited, read, compiled and put on top of the index."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench import corpus
from bench.ours import plans
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query.compiled import CompiledQuery

CHANGES = 50
PAUSE = 0.05
#: The index is made anew after so many changes, as a worker does.
_MANY = 2_000


@dataclass
class Changing:
    """An index that one thread changes and another matches with."""

    index: QueryIndex
    waits: list[float] = field(default_factory=list)
    rebuilt: int = 0
    _since: list[dict[int, CompiledQuery]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rebuild(self, old: QueryIndex) -> None:
        """Make it anew, and put on top what changed meanwhile: most of it before the last look."""
        made, done = old.rebuilt(), 0
        while done < len(self._since) - 1:
            made, done = made.updated(self._since[done]), done + 1
        with self._lock:
            for added in self._since[done:]:
                made = made.updated(added)
            self.index = made
        self.rebuilt += 1

    def change(self, some: list[corpus.Query], ids: list[int], came: float) -> None:
        """Put some queries on top; they came, at worst, when the last look was just over."""
        made = plans(some)
        added = {topic_id: made[number] for number, topic_id in enumerate(ids)}
        with self._lock:
            self.index = self.index.updated(added)
            self._since.append(added)
        self.waits.append(time.perf_counter() - came)

    def forget(self) -> None:
        """A rebuild begins with what is there now."""
        with self._lock:
            self._since.clear()


def churn(size: int, seconds: float = 24) -> dict[str, float]:
    """Posts a CPU second at rest and while queries change, and how long until a change is seen."""
    made = corpus.make(1_000, size + 30_000)
    items = [Document("", post, "en") for post in made.posts]
    changing = Changing(QueryIndex(plans(made.queries[:size])))
    still = _speed(items, changing, 8)
    with _changes(changing, made.queries[size:], size):
        moving = _speed(items, changing, seconds)
    return {
        "still": still,
        "moving": moving,
        "median": statistics.median(changing.waits),
        "most": max(changing.waits),
        "changes": len(changing.waits) * CHANGES / seconds,
        "rebuilt": changing.rebuilt,
    }


def _speed(items: list[Document], changing: Changing, seconds: float) -> float:
    """Posts a second of CPU of the whole process: what changes and rebuilds take is in it."""
    for item in items:  # words are known from here on
        changing.index.matching_topics(item)
    started, cpu, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - started < seconds:
        changing.index.matching_topics(items[done % len(items)])
        done += 1
    return done / (time.process_time() - cpu)


@contextmanager
def _changes(changing: Changing, fresh: list[corpus.Query], size: int) -> Iterator[None]:
    stop = threading.Event()

    def run() -> None:
        done, rebuilding, last = 0, threading.Thread(), time.perf_counter()
        while not stop.is_set():
            stop.wait(max(0.0, last + PAUSE - time.perf_counter()))
            came, last = last, last + PAUSE
            some = [fresh[(done + number) % len(fresh)] for number in range(CHANGES)]
            ids = [size + done + number if number % 2 else (done + number) % size for number in range(CHANGES)]
            changing.change(some, ids, came)
            done += CHANGES
            if changing.index.changes > _MANY + size // 2 and not rebuilding.is_alive():
                changing.forget()
                rebuilding = threading.Thread(target=changing.rebuild, args=(changing.index,))
                rebuilding.start()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
