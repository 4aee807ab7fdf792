"""What the pages' tests stand on: topics, a person, links as the mails hold them."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from newsletter import wiring
from newsletter.lib import clock
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Notice, Subscriber, Topic, TopicRevision
from newsletter.subscribers.admin_subscribe import AddedSubscriber, subscribe_directly
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.manage_link import ask_by_address
from newsletter.worker import sign_ups
from tests.factories import ACTOR

ANNA = Address("canary7f3a@example.org")
WORD = "Zzyzx"


@pytest.fixture
def topics(db) -> list[Topic]:
    made = []
    for name, query in (("Huawei", "Huawei"), ("Uyghur", "Uyghur OR Uighur OR 维吾尔")):
        topic = Topic.objects.create(kind="curated", name=name, slug=name.lower(), created_at=clock.utcnow())
        revision = TopicRevision.objects.create(topic=topic, n=1, query=query, made_at=clock.utcnow())
        Topic.objects.filter(id=topic.id).update(revision_id=revision.id)
        made.append(topic)
    return made


@pytest.fixture
def anna(topics) -> Subscriber:
    """An active person who follows both topics and a word of her own."""
    now = clock.utcnow() - timedelta(hours=1)
    choices = Choices(tuple(topic.id for topic in topics), (WORD,), mail_time=MailTime("Europe/Berlin"))
    added = subscribe_directly(ANNA, choices, wiring.subscribing(now), confirmed=True, source="test", actor=ACTOR)
    assert isinstance(added, AddedSubscriber)
    return Subscriber.objects.get(id=added.subscriber_id)


@pytest.fixture
def lasting(anna) -> Callable[[str], str]:
    """The token at a mail's foot: ask or unsubscribe."""
    return lambda purpose: wiring.vault().token(purpose, anna.id, bytes(8))


@pytest.fixture
def manage(anna) -> str:
    """The token of a fresh link to her preferences."""
    done = ask_by_address(ANNA, now=clock.utcnow(), vault=wiring.vault())
    return notice_token(Notice.objects.get(id=done.notice_id))


@pytest.fixture
def browser() -> Client:
    """A client that is checked for CSRF like anybody."""
    return Client(enforce_csrf_checks=True)


def notice_token(notice: Notice) -> str:
    return wiring.vault().token("notice", notice.id, bytes(notice.nonce))


def signing_up(offered: list[Topic], /, **other: object) -> dict[str, object]:
    """What the subscribe form sends."""
    return {
        "topics": [offered[0].id],
        "keyword": "",
        "cadence": "2",
        "hour": "7",
        "weekday": "0",
        "zone": "Europe/Berlin",
        "subject": "neutral",
        "address": "bob@example.org",
        "website": "",
    } | other


def press(client: Client, path: str, **data: object):
    """Load a page, press its button as a browser does (with what the page's form holds), and let a worker decide."""
    page = client.get(path)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', page.content.decode()))
    answer = client.post(path, hidden | data)
    sign_ups.decide()
    return answer
