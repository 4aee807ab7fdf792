"""A thousand feeds polled once, 5 % of them slow, 5 % broken, 1 % hostile: how long until every good one is read?

    python -m bench.poll [--feeds 1000] [--seconds 30]

Beside it, in the same run, the usual poller: 32 threads, an HTTP client with a timeout, feedparser in the thread.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator

from bench.peers.plain_poller import plain_poll
from tests.fakes.sites import Sites, sites

KINDS = ("slow",) * 5 + ("broken",) * 5 + ("hostile",) + ("good",) * 89


def habit(host: str) -> str:
    """What the host of a feed is like."""
    a, b, c = (int(part) for part in host.split(".")[1:])
    return KINDS[((a * 256 + b) * 254 + c - 1) % 100]


def hosts(count: int) -> list[str]:
    """So many hosts of this machine."""
    return [f"127.{number // 254 // 256}.{number // 254 % 256}.{number % 254 + 1}" for number in range(count)]


def ours(world: Sites, names: list[str], seconds: float) -> Iterator[str]:
    """The host of each feed that is read and stored, as it comes."""
    from newsletter.feeds import poll
    from newsletter.feeds.fetching.http_client import Fetcher
    from newsletter.lib import db
    from newsletter.models import Feed

    now = db.now()
    made = Feed.objects.bulk_create(Feed(url=world.url(name), next_fetch_at=now, created_at=now) for name in names)
    by_id = {feed.id: name for feed, name in zip(made, names, strict=True)}
    fetcher = Fetcher(allow=frozenset((name, world.port) for name in names), seconds=seconds)
    for one in poll.poll_due(clock=db.now, fetcher=fetcher):
        if one.status == "read":
            yield by_id[one.feed_id]


def measure(title: str, read: Iterator[str], good: int) -> float:
    """Print and return the seconds until the last good feed was read."""
    began, cpu, left, last = time.monotonic(), time.process_time(), good, 0.0
    for host in read:
        if habit(host) == "good":
            left -= 1
            last = time.monotonic() - began
    spent = time.process_time() - cpu + _children()
    print(
        f"{title:28} good ones read after {last:6.1f} s ({good - left} of {good}), "
        f"all over after {time.monotonic() - began:6.1f} s, {spent:5.1f} s of CPU"
    )
    return last


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run both, print the ratio."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--feeds", type=int, default=1000)
    asked.add_argument("--seconds", type=float, default=30)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        os.environ["NEWSLETTER_DATA_DIR"] = directory
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        names = hosts(options.feeds)
        good = sum(habit(name) == "good" for name in names)
        with sites(habit) as world:
            mine = measure("newsletter (stored)", ours(world, names, options.seconds), good)
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{'':28} peak {rss} MB in the polling process")
        with sites(habit) as world:
            theirs = measure("32 threads, feedparser", plain_poll(world, names, options.seconds), good)
    print(f"ratio {theirs / mine:.1f}: every good feed was read so many times sooner")


if __name__ == "__main__":
    main()
