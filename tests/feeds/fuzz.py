"""`make fuzz`: feeds damaged by chance through the child, with limits: no crash, no hang, nothing harmful.

`FUZZ` is their number (20000), `SEED` begins a run again.
"""

import os
import random
import resource
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.progress import track

from newsletter.feeds.parsing.model import ParsedFeed, ParseFailed
from newsletter.feeds.sandbox import sandboxed_parse
from tests.feeds import promises
from tests.feeds.mutations import damaged

LIMITS = sandboxed_parse.Limits(wall=20, cpu=10, memory=256 * 1024 * 1024)


def main() -> int:
    """Print what was read; 1 at the first broken promise, with what repeats it."""
    number = int(os.environ.get("FUZZ", "20000"))
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    console, counts = Console(stderr=True), dict[str, int]()
    console.print(f"SEED={seed} FUZZ={number}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda index: _one(f"{seed}:{index}"), range(number))
        for kinds in track(results, "feeds", total=number, console=console):
            for kind in kinds:
                counts[kind] = counts.get(kind, 0) + 1
            if kinds[0].startswith("random"):
                pool.shutdown(cancel_futures=True)
                print(*kinds, sep="\n")
                return 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{number} feeds, seed {seed}: {counts}; this process took at most {peak} MB, each child at most {LIMITS.memory >> 20} MB"
    )
    return 0


def _one(seed: str) -> list[str]:
    """The kinds to count it under; of one that broke a promise, how to make it again and what happened."""
    body = damaged(random.Random(seed))
    try:
        parsed = sandboxed_parse.parse_in_sandbox(body, url=promises.URL, now=promises.NOW, limits=LIMITS)
        promises.is_harmless(parsed)
    except Exception as error:  # noqa: BLE001 - whatever it was, the seed must be told
        return [f"random.Random({seed!r})", f"{type(error).__name__}: {str(error)[:2000]}"]
    kinds = ["feeds" if isinstance(parsed, ParsedFeed) else "refused"]
    return kinds + ["killed"] * (isinstance(parsed, ParseFailed) and parsed.killed)


if __name__ == "__main__":
    raise SystemExit(main())
