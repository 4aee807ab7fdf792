"""Row 18: feedparser opens what it is given as text if that looks like a URL or a path. What a site answers never is."""

import sys

import pytest
from pytest_httpserver import HTTPServer

from newsletter.feeds.parsing import parse_feed
from newsletter.feeds.sandbox import sandboxed_parse
from tests.feeds.promises import NOW, URL

BODIES = ("http://{host}/x", "feed://{host}/x", "http://{host}/x\n", "{path}", "file://{path}", "{path}\n")
#: feedparser reads these by itself only with other parsers than it has by default.
_FEED = "<rss version='2.0'><channel><title>&x;</title><item><title>&x;</title></item></channel></rss>"
DECLARED = (
    f"<!DOCTYPE rss SYSTEM 'http://{{host}}/x'>{_FEED}",
    f"<!DOCTYPE r [<!ENTITY x SYSTEM 'file://{{path}}'>]>{_FEED}",
    f"<!DOCTYPE r [<!ENTITY % x SYSTEM 'http://{{host}}/x'> %x;]>{_FEED}",
)


@pytest.mark.parametrize("read", [parse_feed.parse, sandboxed_parse.parse_in_sandbox], ids=["here", "in its process"])
def test_nothing_is_opened_and_nobody_is_asked(read, httpserver: HTTPServer, tmp_path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text("<rss version='2.0'><channel><title>canary7f3a</title></channel></rss>")
    httpserver.expect_request("/x").respond_with_data(secret.read_text())
    opened = []
    sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" and args[0] == str(secret) else None)
    for body in BODIES + DECLARED:
        raw = body.format(host=httpserver.url_for("/").split("/")[2], path=secret).encode()
        assert "canary7f3a" not in repr(read(raw, url=URL, now=NOW))
    assert not httpserver.log and not opened
