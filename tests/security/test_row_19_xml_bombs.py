"""Row 19: a small feed cannot grow large: entities are not expanded without end, and each field has a limit."""

import pytest

from newsletter.feeds.parsing.model import ParsedFeed, ParseFailed
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.feeds.sandbox.sandboxed_parse import Limits
from tests.feeds.promises import NOW, URL

_ITEM = "<rss version='2.0'><channel><title>t</title><item><title>{}</title><description>{}</description></item></channel></rss>"
_NESTED = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
BOMBS = {
    "billion laughs": f"<!DOCTYPE r [<!ENTITY a0 'lol'>{_NESTED}]>" + _ITEM.format("&a9;", "&a9;"),
    "quadratic": f"<!DOCTYPE r [<!ENTITY a '{'x' * 8_000}'>]>" + _ITEM.format("&a;" * 2_000, "&a;" * 2_000),
    "itself": "<!DOCTYPE r [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>" + _ITEM.format("&a;", "&b;"),
    "parameters": "<!DOCTYPE r [<!ENTITY % a '<!ENTITY b \"&#37;a;\">'> %a; %a;]>" + _ITEM.format("&b;", "x"),
    "deep": "<rss version='2.0'><channel>" + "<item>" * 5_000,
    "wide": _ITEM.format("x" * 300_000, "<b>" * 10_000),
    "attributes": "<rss version='2.0' "
    + " ".join(f"a{n}='x'" for n in range(4_000))
    + "><channel><title>t</title></channel></rss>",
    "namespaces": "<rss version='2.0' " + " ".join(f"xmlns:a{n}='u:{n}'" for n in range(4_000)) + "><channel/></rss>",
}


@pytest.mark.parametrize("name", BOMBS)
def test_it_ends_by_itself_and_what_is_read_is_small(name: str) -> None:
    parsed = sandboxed_parse.parse_in_sandbox(BOMBS[name].encode(), url=URL, now=NOW, limits=Limits(cpu=30, wall=600))
    assert not (isinstance(parsed, ParseFailed) and parsed.killed), parsed
    if "<!ENTITY" in BOMBS[name]:
        assert isinstance(parsed, ParseFailed) and "entities" in parsed.reason
    if isinstance(parsed, ParsedFeed):
        assert len(parsed.title) <= 500
        for entry in parsed.entries:
            assert len(entry.title) <= 500 and len(entry.html) <= 1_000_000


def test_a_field_is_cut_at_its_limit() -> None:
    parsed = sandboxed_parse.parse_in_sandbox(
        _ITEM.format("x" * 300_000, "<p>y</p>" * 100_000).encode(), url=URL, now=NOW
    )
    assert isinstance(parsed, ParsedFeed)
    assert (len(parsed.entries[0].title), len(parsed.entries[0].html)) == (500, 200_000)


def test_a_child_has_limits_of_memory_and_time() -> None:
    """Whatever else a bomb is made of."""
    limits = sandboxed_parse.Limits()
    assert limits.memory <= 2**30 and limits.cpu <= 10 and limits.wall <= 60
