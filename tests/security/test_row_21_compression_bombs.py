"""Row 21: a small answer does not unpack to more than we take, whatever it is packed in and how often."""

import gzip
import tracemalloc
import zlib
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer

from newsletter.feeds.fetching.http_client import Fetcher, RequestFailed

ZEROS = bytes(60_000_000)
_ONCE = gzip.compress(ZEROS, 1)
BOMBS = {
    "gzip": ("gzip", _ONCE),
    "deflate": ("deflate", zlib.compress(ZEROS, 1)),
    "gzip in gzip": ("gzip, gzip", gzip.compress(_ONCE, 1)),
    "gzip that is not said": ("", _ONCE),
    "many gzip members": ("gzip", gzip.compress(ZEROS[:4_000_000], 1) * 40),
    "brotli": ("br", b"\xcb\xff\xff\x0f" * 50),
    "zstd": ("zstd", b"\x28\xb5\x2f\xfd" + bytes(200)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_it_is_refused_in_little_memory(httpserver: HTTPServer, name: str) -> None:
    coding, body = BOMBS[name]
    httpserver.expect_request("/feed").respond_with_data(body, headers={"Content-Encoding": coding} if coding else {})
    site = urlsplit(httpserver.url_for("/"))
    fetcher = Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}))
    tracemalloc.start()
    try:
        answer = fetcher.get(httpserver.url_for("/feed"))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(answer, RequestFailed) and most < 40_000_000, most
    assert httpserver.log[0][0].headers["Accept-Encoding"] == "gzip, deflate"
