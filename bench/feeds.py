"""One feed of 100 entries read by the real poll and stored in SQLite, beside feedparser in the same run.

    python -m bench.feeds [--rounds 9]

Unchanged: the body is the one of the last time. Changed: one of its 100 entries is new. First: all are. The network is left out
on both sides. A peer parses and makes safe, but stores nothing.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from statistics import median

from bench import made_feeds
from bench.peers import feed_parsers


@dataclass
class Measured:
    """Medians of seconds by the clock and of processor time, the children's included."""

    wall: float
    cpu: float


def timed(work: Callable[[], object], rounds: int) -> Measured:
    """`work` done so many times, after once to warm up."""
    work()
    walls, cpus = [], []
    for _ in range(rounds):
        cpu, wall = _cpu(), time.perf_counter()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(_cpu() - cpu)
    return Measured(median(walls), median(cpus))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


class StubbedFeed:
    """The real poll of one feed, with a body in place of the network."""

    def __init__(self, started: datetime) -> None:
        from newsletter.feeds.fetching.http_client import Fetched

        self._clock, self._numbers = started, count()
        self._answer = Fetched("https://digest.example/feed", 200, b"", "", "", "application/xml")
        self.body = b""

    def get(self, url: str, **validators: str) -> object:
        """What a fetcher would bring."""
        return replace(self._answer, body=self.body)

    def new(self) -> int:
        """A feed that was never read."""
        from newsletter.models import Feed

        url = f"https://digest.example/{id(self)}/{next(self._numbers)}"
        return Feed.objects.create(url=url, next_fetch_at=self._clock, created_at=self._clock, announce="all").id

    def read(self, feed_id: int, expected: str, new: int) -> None:
        """Read the feed a year after the last time, when it is surely due; complain unless it went as expected."""
        from newsletter.feeds import poll

        self._clock += timedelta(days=365)
        (done,) = poll.poll_due(clock=lambda: self._clock, fetcher=self, only=[feed_id])  # type: ignore[arg-type]
        if (done.status, done.new) != (expected, new):
            raise SystemExit(f"expected {expected} with {new} new items: {done}")


def stored(polls: StubbedFeed, kind: Callable[[range], bytes], rounds: int) -> None:
    """The three readings and what they are compared with."""
    body = kind(range(100))
    print(f"\n{kind.__name__}: 100 entries, {len(body) // 1000} kB")
    safe = timed(lambda: feed_parsers.safe_feedparser(body), rounds)
    show("feedparser.parse", safe)
    _readings(polls, kind, body, safe, rounds)


def _readings(polls: StubbedFeed, kind: Callable[[range], bytes], body: bytes, safe: Measured, rounds: int) -> None:
    shifts = count(1)
    feed_id = polls.new()
    polls.body = body
    polls.read(feed_id, "read", 100)
    show("unchanged, stored", timed(lambda: polls.read(feed_id, "unchanged", 0), rounds * 5), safe, 100)
    # made before it is timed: each has one more entry than the one before
    bodies = {shift: kind(range(shift, shift + 100)) for shift in range(1, rounds + 2)}

    def changed() -> None:
        polls.body = bodies[next(shifts)]
        polls.read(feed_id, "read", 1)

    show("changed, stored: one new entry", timed(changed, rounds), safe)

    def first() -> None:
        polls.body = body
        polls.read(polls.new(), "read", 100)

    show("first reading, stored: all new", timed(first, rounds), safe)


def parsing(kind: Callable[[range], bytes], rounds: int) -> None:
    """Parsing alone, in this process."""
    from newsletter.feeds.parsing import feedparser_xml
    from newsletter.feeds.parsing.parse_feed import parse
    from newsletter.feeds.parsing.repair_xml import repair
    from newsletter.feeds.sandbox import sandboxed_parse
    from newsletter.lib import db

    body, now, url = kind(range(100)), db.now(), "https://digest.example/feed"
    text = body.decode()
    print(f"\n{kind.__name__}, parsing alone")
    safe = timed(lambda: feed_parsers.safe_feedparser(body), rounds)
    show("feedparser.parse", safe)
    show("feedparser, nothing made safe", timed(lambda: feed_parsers.bare_feedparser(body), rounds), safe)
    show(
        "our fields, through feedparser", timed(lambda: feedparser_xml.read_with_feedparser(repair(text)), rounds), safe
    )
    show("ours, made safe", timed(lambda: parse(body, url=url, now=now), rounds), safe)
    # the kernel reaps the forks, so that their processor time is not counted
    show(
        "ours, made safe, in the child",
        timed(lambda: sandboxed_parse.parse_in_sandbox(body, url=url, now=now), rounds),
        safe,
    )
    peers, missing = feed_parsers.optional()
    for name, peer in peers.items():
        if kind is made_feeds.rss:
            show(f"{name}, nothing made safe", timed(lambda peer=peer: peer(body), rounds), safe)  # type: ignore[misc]
    if missing:
        print(f"  not installed, and so not measured: {', '.join(missing)}")


def show(title: str, measured: Measured, beside: Measured | None = None, target: float = 0.0) -> None:
    """One line; `target` is the least ratio to `beside`."""
    ratio = beside.wall / measured.wall if beside else 0.0
    verdict = f"  target {target:g}: {'met' if ratio >= target else 'MISSED'}" if target else ""
    words = f"{ratio:8.1f} x feedparser{verdict}" if beside else ""
    print(f"  {title:32} {measured.wall * 1000:8.2f} ms {measured.cpu * 1000:8.2f} ms of CPU{words}")


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = max(parser.parse_args().rounds, 5)
    with tempfile.TemporaryDirectory() as directory:
        os.environ["NEWSLETTER_DATA_DIR"] = directory
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
        import django

        django.setup()
        from django.core.management import call_command

        from newsletter.lib import db

        call_command("migrate", verbosity=0)
        # one for all: it goes on through the years, and the host must not be asked before it was last
        polls = StubbedFeed(db.now())
        for kind in (made_feeds.rss, made_feeds.atom):
            stored(polls, kind, rounds)
        for kind in (made_feeds.rss, made_feeds.atom):
            parsing(kind, rounds)
    print(f"\npeak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB in this process")


if __name__ == "__main__":
    main()
