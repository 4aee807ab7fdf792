"""Row 14: a mail has no forms, scripts or styles of a feed, and every link in it is absolute and says where it leads."""

import re

import pytest

from tests.feeds.promises import is_link
from tests.security import hostile_feed
from tests.security.hostile_feed import FORBIDDEN, MARKUP, Elements

pytestmark = pytest.mark.django_db(transaction=True)

TITLE = "Uyghur news of the day"


def test_a_mail_made_of_hostile_markup_is_text_and_absolute_links(settings, httpserver) -> None:
    step = len(MARKUP) // 18
    pieces = [MARKUP[start : start + 12] for start in range(0, len(MARKUP), step)]
    posts = [hostile_feed.post(f"{''.join(one[:2])}{TITLE} {n}", "".join(one)) for n, one in enumerate(pieces)]
    links = (
        "javascript:alert(1)",
        "data:text/html,x",
        "//user:word@evil.example/",
        "https://ok.example\\@evil.example/",
    )
    posts += [hostile_feed.post(f"{TITLE} link {n}", "", link=link) for n, link in enumerate(links)]
    with hostile_feed.mailed(settings, httpserver, hostile_feed.feed(*posts)) as mails:
        page = Elements(mails[0].html)
    assert page.names & FORBIDDEN == {"meta", "style"}, "our own, in the head"
    assert [one for one in page.found if one[0] == "style"] == [("style", {"data-css-inline": "ignore"})]
    assert not {name for name in page.attributes if name.startswith(("on", "xlink", "src", "action", "form"))}
    assert not [one["style"] for _, one in page.found if re.search(r"position|url|@|expression", one.get("style", ""))]
    assert len(page.links) > 20 and {link for link in page.links if not is_link(link)} == {
        "mailto:newsletter@localhost"
    }


def test_a_headline_that_is_a_link_shows_its_host(settings, httpserver) -> None:
    text = hostile_feed.feed(hostile_feed.post("Your bank Uyghur", "", link="https://bank.example.evil.example/login"))
    with hostile_feed.mailed(settings, httpserver, text) as mails:
        html = mails[0].html
    assert "https://bank.example.evil.example/login" in Elements(html).links
    assert "Read it on <bdi>bank.example.evil.example</bdi>" in html
