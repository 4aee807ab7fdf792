"""A topic changes while mail is on the road: nobody is mailed old items, nobody what is no longer meant; and readers object."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_httpserver import HTTPServer

from newsletter import wiring
from newsletter.feeds import poll
from newsletter.lib import db
from newsletter.matching import match
from newsletter.matching.topics import hold, reader_feedback, revisions
from newsletter.matching.topics.revisions import SavedRevision, TopicChange, TopicDraft
from newsletter.models import Match, Topic, TopicRevision
from newsletter.worker import run_once, tasks
from tests.factories import ACTOR
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.web.conftest import press

pytestmark = pytest.mark.django_db(transaction=True)

KEYWORD = "Zzyzx"
OBJECTION = re.compile(r"https://news\.example\.org/objection/[\w-]+")


@pytest.fixture
def smtp(settings, httpserver: HTTPServer) -> Iterator[SmtpCatcher]:
    site = urlsplit(httpserver.url_for("/"))
    with (
        SmtpCatcher() as caught,
        road.configured(
            settings,
            mail=caught.url,
            feed_allow=frozenset({(site.hostname, site.port)}),
            base_url="https://news.example.org",
        ),
    ):
        road.set_up(road.serve(httpserver, road.posts()))
        yield caught


def change(name: str, query: str) -> None:
    draft = revisions.changed_draft(name, TopicChange(query))
    assert isinstance(draft, TopicDraft)
    assert isinstance(revisions.save_draft(name, draft, now=db.now(), actor=ACTOR), SavedRevision)


def read_and_match() -> None:
    """The road up to the matches: no mail is made of them yet."""
    tasks.run("refresh_due")
    list(poll.poll_due(clock=db.now, fetcher=wiring.fetcher()))
    while match.match_fresh(now=db.now(), index=wiring.topic_index()).items:
        pass


def texts(smtp: SmtpCatcher) -> list[str]:
    """All that is due; the texts of the mails that came of it."""
    before = len(smtp.messages)
    run_once.deliver(wait=timedelta(0))
    return [road.from_smtp(one).text for one in smtp.messages[before:]]


def test_a_narrowed_topic_mails_nothing_of_what_it_no_longer_means(smtp: SmtpCatcher) -> None:
    road.subscribe("reader@example.org", "Uyghur")
    read_and_match()
    change("Uyghur", "Uyghur guests")
    (text,) = texts(smtp)
    assert "Names of Uighur guests" in text
    assert "Cameras that sort" not in text
    change("Uyghur", "Uyghur OR Huawei OR banks")
    assert texts(smtp) == []
    assert Match.objects.filter(topic__name="Uyghur", withdrawn_at=None).count() == 4
    assert texts(smtp) == []


def test_a_held_topic_mails_nothing_until_it_is_released(smtp: SmtpCatcher) -> None:
    road.subscribe("reader@example.org", "Uyghur")
    hold.hold("Uyghur", now=db.now(), actor=ACTOR)
    read_and_match()
    assert texts(smtp) == []
    hold.release("Uyghur", mail=True, now=db.now(), actor=ACTOR)
    (text,) = texts(smtp)
    assert "Cameras that sort" in text
    assert texts(smtp) == []


def test_a_hold_stops_what_is_owed_and_gives_it_back(smtp: SmtpCatcher) -> None:
    road.subscribe("reader@example.org", "Uyghur")
    read_and_match()
    hold.hold("Uyghur", now=db.now(), actor=ACTOR)
    assert texts(smtp) == []
    hold.release("Uyghur", mail=False, now=db.now(), actor=ACTOR)
    assert len(texts(smtp)) == 1
    hold.hold("Uyghur", now=db.now(), actor=ACTOR)
    hold.release("Uyghur", mail=True, now=db.now(), actor=ACTOR)
    assert texts(smtp) == []


def test_everybody_has_the_same_link_to_object_and_an_own_word_has_none(
    smtp: SmtpCatcher, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    road.subscribe("one@example.org", "Uyghur")
    road.subscribe("two@example.org", "Uyghur")
    road.subscribe("own@example.org", keywords=("profits",))
    run_once.once(wait=timedelta(0))
    mails = {one.recipient: road.from_smtp(one) for one in smtp.messages}
    one, two, own = (mails[f"{name}@example.org"] for name in ("one", "two", "own"))
    found = OBJECTION.findall(one.text)
    assert len(found) == 2
    assert OBJECTION.findall(two.text) == found
    assert set(OBJECTION.findall(one.html)) == set(found)
    assert "/objection/" not in own.text + own.html
    browser = Client(enforce_csrf_checks=True)
    assert press(browser, urlsplit(found[0]).path).status_code == 303
    assert Match.objects.get(objections=1).topic.name == "Uyghur"
    assert all(urlsplit(url).path.rpartition("/")[2] not in caplog.text for url in found)
    told = reader_feedback.noisy_spellings(Topic.objects.get(name="Uyghur").id)
    assert told == []


def test_no_keyword_of_a_reader_reaches_a_column_or_a_log_by_any_of_this(
    smtp: SmtpCatcher, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.security.stored import everything_stored

    caplog.set_level(logging.DEBUG)
    road.subscribe("reader@example.org", "Uyghur", keywords=(KEYWORD,))
    read_and_match()
    change("Uyghur", "Uyghur guests")
    texts(smtp)
    assert not TopicRevision.objects.exclude(rematch="done").filter(topic__kind="own").exists()
    for table, content in everything_stored().items():
        assert KEYWORD.lower() not in content.lower(), table
    assert KEYWORD.lower() not in caplog.text.lower()
