"""The usual poller: a pool of threads, an HTTP client with a timeout, feedparser in the thread; nothing is stored."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import feedparser
import httpx2

from tests.fakes.sites import Sites


def plain_poll(world: Sites, names: list[str], seconds: float) -> Iterator[str]:
    """The host of each feed that is read, as it comes."""

    def read(name: str) -> bool:
        try:
            got = httpx2.get(world.url(name), timeout=seconds, trust_env=False)
        except httpx2.HTTPError:
            return False
        return bool(feedparser.parse(io.BytesIO(got.content)).entries)

    with ThreadPoolExecutor(32) as pool:
        sent = {pool.submit(read, name): name for name in names}
        for done in as_completed(sent):
            if done.result():
                yield sent[done]
