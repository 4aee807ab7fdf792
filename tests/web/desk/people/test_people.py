"""People: found by a whole address alone, looked after on a page of 15 minutes, and never named anywhere else."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from newsletter import wiring
from newsletter.lib.mail.provider_interface import Address
from newsletter.matching.topics import topics
from newsletter.models import AuditEntry, Notice, Subscriber, Subscription, Suppression
from newsletter.subscribers.admin_subscribe import subscribe_directly
from newsletter.subscribers.choices import Choices
from tests import factories
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db
CANARY, WORD = "canary.7f3a@example.org", "Zzyzx"


@pytest.fixture
def canary() -> Subscriber:
    """Somebody with two topics, a keyword and two mails."""
    factories.open_gate()
    ids = tuple(factories.topic(name).id for name in ("Cable", "Seals"))
    keyword = topics.keyword_topic(WORD, vault=wiring.vault(), now=timezone.now())
    added = subscribe_directly(
        Address(CANARY),
        Choices((*ids, keyword)),
        wiring.subscribing(timezone.now()),
        confirmed=True,
        source="command",
        actor=ACTOR,
    )
    person = Subscriber.objects.get(id=added.subscriber_id)
    factories.planned([person]), factories.planned([person], kind="digest")
    return person


class Walk:
    """An owner's way through the pages; keeps every URL and title that the browser would."""

    def __init__(self, client) -> None:
        self.client, self.seen = client, []

    def get(self, url: str, status: int = 200) -> str:
        return self._page(url, self.client.get(url), status)

    def post(self, url: str, status: int = 200, **data: object) -> str:
        """Post a form and follow its redirect; nothing typed may come back in a URL."""
        answer = self.client.post(url, data)
        if answer.status_code == 303:
            return self.get(answer.url, status)
        return self._page(url, answer, status)

    def find(self, address: str = CANARY, why: str = "asked by phone") -> str:
        """Find somebody; returns the address of their page."""
        answer = self.client.post(reverse("desk_people_find"), {"address": address, "reason": why})
        assert answer.status_code == 303, answer.content.decode()
        self.seen.append(answer.url)
        return answer.url

    def _page(self, url: str, answer, status: int) -> str:
        html = answer.content.decode()
        assert answer.status_code == status, f"{url}: {answer.status_code}"
        self.seen += [url, *re.findall(r"<title>.*?</title>", html), *re.findall(r'(?:href|action)="([^"]*)"', html)]
        assert WORD.lower() not in html.lower()
        return html


@pytest.fixture
def walk(as_owner, caplog, capsys) -> Iterator[Walk]:
    """When the walk is over, the address and the keyword stand in no URL, title, log, session or row of the audit log."""
    walk = Walk(as_owner)
    with caplog.at_level("DEBUG"):
        yield walk
    sessions = [json.dumps(row.get_decoded(), default=str) for row in Session.objects.all()]
    audit = [json.dumps([row.object_name, row.before, row.after, row.reason]) for row in AuditEntry.objects.all()]
    printed = capsys.readouterr()
    kept = "\n".join([*walk.seen, *sessions, *audit, caplog.text, printed.out, printed.err]).lower()
    assert sessions and "canary" not in kept and "%40" not in kept and WORD.lower() not in kept


def test_totals_without_names(walk, canary):
    Subscriber.objects.filter(id=factories.subscriber(state="pending").id).update(confirmed_at=None)
    html = walk.get(reverse("desk_people"))
    assert "There is no list of people and no search" in html and CANARY not in html
    assert "<b>1</b> <span>active" in html and "<b>1</b> joined" in html and 'class="gap"' in html
    assert "Every address may be mailed" in html
    Suppression.objects.create(address_index=b"x" * 32, reason="bounce", since=timezone.now() - timedelta(days=10))
    assert "the mailbox does not exist" in walk.get(reverse("desk_people"))


def test_the_cost_of_the_page_does_not_grow(walk, canary, django_assert_max_num_queries):
    for _ in range(30):
        factories.subscriber()
    with django_assert_max_num_queries(24):
        walk.get(reverse("desk_people"))


def test_nobody_is_found_without_a_reason_that_may_be_kept(walk, canary):
    for data, words in (
        ({"address": CANARY, "reason": ""}, "Write why"),
        ({"address": CANARY, "reason": "asked by somebody@example.org"}, "must not contain an address"),
        ({"address": "canary", "reason": "asked"}, "exactly one @ sign"),
    ):
        html = walk.post(reverse("desk_people_find"), 400, **data)
        assert words in html and f'value="{data["address"]}"' in html
    assert not AuditEntry.objects.filter(action="subscriber.open").exists()


def test_everything_about_one_person(walk, canary):
    page = walk.find()
    html = walk.get(page)
    (opened,) = AuditEntry.objects.filter(action="subscriber.open")
    assert (opened.object_id, opened.reason, opened.actor) == (canary.id, "asked by phone", "olga")
    for words in (CANARY, "Cable", "Seals", "own keyword 1", "added by a command", "you had agreed elsewhere"):
        assert words in html, words
    assert html.count("1 article</td>") == 2 and "Alert" in html and "Digest" in html


def test_the_page_costs_the_same_for_many_mails_and_topics(walk, canary, django_assert_max_num_queries):
    for number in range(12):
        factories.follow(canary, factories.topic(f"More {number}"))
        factories.planned([canary])
    page = walk.find()
    with django_assert_max_num_queries(30):
        walk.get(page)


def test_what_they_get_is_changed_at_their_word(walk, canary):
    page = walk.find()
    third = factories.topic("Third")
    row = Subscription.objects.get(topic__name="Cable")
    assert "follow one more topic" in walk.post(f"{page}follow/", topic=third.id, cadence=3)
    assert Subscription.objects.get(topic=third).get_cadence_display() == "Weekly"
    assert "frequency is saved" in walk.post(f"{page}frequency/", subscription=row.id, cadence=1)
    assert "time of their digests" in walk.post(f"{page}time/", zone="Asia/Almaty", hour=9, weekday=4)
    canary.refresh_from_db()
    assert (canary.daily_rhythm.zone, canary.weekly_rhythm.weekday) == ("Asia/Almaty", 4)
    assert "a place such as" in walk.post(f"{page}time/", zone="Mars/City", hour=9, weekday=4).lower()
    assert "One subscription has ended" in walk.post(f"{page}end/", subscription=row.id)
    assert "has ended already" in walk.post(f"{page}end/", subscription=row.id)
    assert "3 subscriptions end now" in walk.get(f"{page}before-stop/")
    assert "3 subscriptions have ended" in walk.post(f"{page}stop/")
    assert Subscriber.objects.get(id=canary.id).state == "left"
    changes = AuditEntry.objects.exclude(actor="test").order_by("id").values_list("action", flat=True)
    assert [action.removeprefix("subscriber.") for action in changes if action.startswith("subscriber")][-6:] == [
        "open", "add", "cadence", "mail_time", "end", "leave",
    ]  # fmt: skip


def test_a_suppression_is_lifted_for_a_reason(walk, canary):
    Suppression.objects.create(address_index=canary.address_index, reason="bounce", since=timezone.now())
    page = walk.find()
    assert "Not mailed: the mailbox does not exist" in walk.get(page)
    assert "Write why" in walk.post(f"{page}lift/", reason="")
    assert "may be mailed again" in walk.post(f"{page}lift/", reason="the mailbox works again")
    assert AuditEntry.objects.get(action="suppression.lift").reason == "the mailbox works again"
    Suppression.objects.update(lifted_at=None, reason="complaint", sticky=True)
    assert "cannot be lifted" in walk.get(page)


@pytest.mark.parametrize(("again", "kept"), [("yes", ["erased"]), ("no", [])])
def test_erasing_says_what_goes_and_what_stays_and_closes_the_page(walk, canary, again, kept):
    page = walk.find()
    html = walk.get(f"{page}before-erase/")
    assert "3 subscriptions, with 1 keyword of their own" in html and "2 deliveries by numbers" in html
    assert "the content of 2 mails that nobody else got" in html
    assert "One person is erased" in walk.post(f"{page}erase/", never_again=again)
    assert not Subscriber.objects.exists() and [row.reason for row in Suppression.objects.all()] == kept
    assert "has closed" in walk.get(page, 404)
    assert AuditEntry.objects.get(action="subscriber.erase").after["never_again"] == (again == "yes")


def test_an_address_that_nobody_has(walk, canary):
    page = walk.find("canary.other@example.org")
    html = walk.get(page)
    assert "Nobody has this address" in html and "canary.other" not in html
    topic = Subscription.objects.filter(topic__kind="curated").first().topic_id
    new = {"address": "canary.new@example.org", "topic": topic, "cadence": 2}
    assert "exactly one @" in walk.post(f"{page}add-address/", 400, **new | {"address": "canary"})
    assert "asked by mail to confirm" in walk.post(f"{page}add-address/", **new)
    assert Notice.objects.get().kind == "confirm"
    assert "They are subscribed" in walk.post(f"{page}add-address/", **new, agreed="yes")
    assert "is not mailed" in walk.post(f"{page}suppress-address/", address="canary.third@example.org")
    suppressed = walk.find("canary.third@example.org")
    assert "It is not mailed: an admin said so" in walk.get(suppressed)
    lift = {"address": "canary.third@example.org", "reason": "it was a mistake"}
    assert "may be mailed again" in walk.post(f"{suppressed}lift-address/", **lift)
    assert "not suppressed" in walk.post(f"{suppressed}lift-address/", 400, **lift)


def test_a_page_closes_after_15_minutes_and_is_no_other_session_s(walk, canary, owner, client):
    page = walk.find()
    client.force_login(owner)
    other = client.get(page)
    assert CANARY not in other.content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert "has closed" in walk.get(page, 404)
        assert "nothing was changed" in walk.post(f"{page}stop/")
    assert Subscriber.objects.get(id=canary.id).state == "active"


def test_an_editor_sees_nothing_of_it(as_editor, canary):
    for url in (reverse("desk_people"), reverse("desk_people_open", args=["x"])):
        assert as_editor.get(url).status_code == 403
    assert as_editor.post(reverse("desk_people_find"), {"address": CANARY, "reason": "why"}).status_code == 403
    assert "/desk/people/" not in as_editor.get("/desk/").content.decode()
