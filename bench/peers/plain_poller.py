"""The usual poller: a pool of threads, an HTTP client with a timeout, feedparser in the thread; nothing is stored."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import feedparser
import httpx2

from tests.fakes.sites import Sites


def plain_poll(world: Sites, names: list[str], seconds: float) -> Iterator[str]:
    """The host of each feed, as it is read."""

    def read(name: str) -> str:
        try:
            got = httpx2.get(world.url(name), timeout=seconds, trust_env=False)
            feedparser.parse(io.BytesIO(got.content))
        except httpx2.HTTPError:
            pass
        return name

    with ThreadPoolExecutor(32) as pool:
        for done in as_completed([pool.submit(read, name) for name in names]):
            yield done.result()
