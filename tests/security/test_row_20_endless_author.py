"""Row 20: feedparser looks for an address in an author in a time that grows with its square (kurtmckee/feedparser#562)."""

from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.feeds.sandbox.sandboxed_parse import Limits
from tests.feeds.promises import NOW, URL

_RSS = "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><item><title>t</title>{}</item></channel></rss>"
_ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><entry><title>t</title>{}</entry></feed>"
LONG = ("a" * 64_000, "a@" * 32_000, "a.b-" * 16_000, "(a " * 21_000, "a@b." * 16_000 + "(")


def test_an_author_of_64_kb_is_read_though_a_search_in_it_would_take_minutes() -> None:
    for author in LONG:
        for feed in (
            _RSS.format(f"<author>{author}</author>"),
            _RSS.format(f"<dc:creator>{author}</dc:creator>"),
            _ATOM.format(f"<author><name>{author}</name></author>"),
        ):
            parsed = sandboxed_parse.parse_in_sandbox(feed.encode(), url=URL, now=NOW, limits=Limits(cpu=30, wall=600))
            assert isinstance(parsed, ParsedFeed), parsed
