"""Commands that are refused, in this process: one line that says what to do, and nothing of what was typed in secret."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer

from newsletter import cli
from tests.journey import road

pytestmark = pytest.mark.django_db(transaction=True)
#: Runs a command; returns its exit code and what it wrote to standard output and to standard error.
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], httpserver: HTTPServer
) -> Iterator[Command]:
    site = urlsplit(httpserver.url_for("/"))

    def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = cli.invoke(list(words))
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    with road.configured(settings, feed_allow=frozenset({(site.hostname or "", site.port or 0)})):
        yield run


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("feeds", "add", "http://127.0.0.1:1/feed"), 1, "NEWSLETTER_FEED_ALLOW"),
        (("topics", "add", "Bad", "--query", "(a OR"), 1, "column"),
        (("topics", "add", "Bad"), 2, "--query or --pack"),
        (("topics", "show", "Nothing"), 1, "newsletter topics list"),
        (("subscribers", "add", "not-an-address", "--query", "x"), 1, "@"),
        (("subscribers", "add", "canary@example.org", "--topic", "Nothing"), 1, "newsletter topics list"),
        (("subscribers", "add", "canary@example.org"), 2, "--topic or --query"),
        (("subscribers", "add", "canary@example.org", "--query", "-x"), 1, "add a word"),
        (("subscribers", "add", "canary@example.org", "--query", "x", "--timezone", "Moon/Base"), 2, "--timezone"),
        (("subscribers", "add", "canary@example.org", "--query", "x", "--timezone", "localtime"), 2, "--timezone"),
        (("subscribers", "add", "canary@example.org", "--query", "x", "--locale", "xx"), 2, "--locale"),
        (("deliveries", "explain", "0000"), 1, "reference"),
        (("feeds", "show", "99"), 1, "newsletter feeds list"),
        (("nonsense",), 2, "See 'newsletter --help'"),
        (("feeds", "lst"), 2, "Did you mean 'list'? See 'newsletter feeds --help'"),
        (
            ("topics", "add", "Cable", "submarine cable"),
            2,
            "takes only NAME; anything else goes after an option (--query,",
        ),
        (("feeds", "pause", "1", "canary"), 2, "takes only ID|URL. Put quotes around words with spaces."),
        (("status", "canary"), 2, "takes no arguments"),
        (("feeds", "add"), 2, "'url'"),
        (("once", "--frobnicate"), 2, "--frobnicate"),
    ],
)
def test_what_goes_wrong_is_one_line_that_says_what_to_do(
    command: Command, words: tuple[str, ...], code: int, says: str
) -> None:
    ended, out, error = command(*words)
    assert (ended, out) == (code, "")
    assert error.count("\n") == 1, error
    assert says in error
    assert "canary" not in error


def test_keywords_and_the_address_are_read_from_standard_input(command: Command) -> None:
    code, out, error = command(
        *("subscribers", "add", "-", "--query", "-", "--query", "glacier", "--confirmed"),
        stdin="canary@example.org\nsubmarine cable\n\n  Zzyzx \n",
    )
    assert (code, error) == (0, "") and "follows 3" in out
    assert "canary" not in out and "cable" not in out
    keywords = command("subscribers", "add", "other@example.org", "--query", "-", "--confirmed", stdin="one\ntwo\n")
    assert "follows 2" in keywords[1]
    shown = command("subscribers", "show", "-", stdin="canary@example.org\n")[1]
    assert all(f"own keyword {number}" in shown for number in (1, 2, 3)) and "cable" not in shown
    for given, expected in (("", 2), ("\n \n", 2), ("(a OR\n", 1)):
        code, out, error = command(
            "subscribers", "add", "third@example.org", "--query", "-", "--confirmed", stdin=given
        )
        assert (code, out, error.count("\n")) == (expected, "", 1)
        assert "keyword" in error


def test_a_web_page_instead_of_a_feed_stores_nothing(command: Command, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/page").respond_with_data(
        "<!doctype html><title>x</title>Hello", content_type="text/html"
    )
    code, _, error = command("feeds", "add", httpserver.url_for("/page"))
    assert (code, error.count("\n")) == (1, 1)
    assert json.loads(command("feeds", "list", "--json")[1]) == []
