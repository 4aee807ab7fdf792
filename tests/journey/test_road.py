"""The whole road, from a feed's URL to the right mail in the right inbox, on a real SMTP server and a strict fake SendGrid."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_httpserver import HTTPServer

from newsletter import wiring
from newsletter.delivery.ledger.reports import listing
from newsletter.editions import gatherings
from newsletter.feeds.catalogue import feed_status, manage
from newsletter.lib import db
from newsletter.models import Cadence, DeliveryItem, Rhythm, Subscription
from newsletter.worker import run_once, tasks
from newsletter.worker.stages import STAGES
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.journey.road import Got

pytestmark = pytest.mark.django_db(transaction=True)


def ticks() -> list[str]:
    """The stages that run by themselves."""
    return [stage.name for stage in STAGES if stage.every is not None]


Inbox = Callable[[], dict[str, list[Got]]]


@pytest.fixture(params=["smtp", "sendgrid"])
def inbox(request: pytest.FixtureRequest, settings, httpserver: HTTPServer) -> Iterator[Inbox]:
    """A configured service whose mail ends in a dictionary: address → mails."""
    address = urlsplit(httpserver.url_for("/"))
    common = {
        "feed_allow": frozenset({(address.hostname or "", address.port or 0)}),
        "sender_address": "digest@news.example.org",
        "sender_name": "The Digest",
        "contact": "people@example.org",
        "base_url": "https://news.example.org",
    }
    if request.param == "smtp":
        with SmtpCatcher() as smtp, road.configured(settings, mail=smtp.url, **common):
            yield lambda: _sorted((one.recipient, road.from_smtp(one)) for one in smtp.messages)
    else:
        with (
            FakeSendGrid() as fake,
            road.configured(settings, mail="sendgrid:", sendgrid_api_key=fake.key, sendgrid_url=fake.url, **common),
        ):
            yield lambda: _sorted((one.recipient, road.from_sendgrid(one)) for one in fake.mails)


def _sorted(found: Iterable[tuple[str, Got]]) -> dict[str, list[Got]]:
    boxes: dict[str, list[Got]] = {}
    for recipient, mail in found:
        boxes.setdefault(recipient, []).append(mail)
    return boxes


def titles(mail: Got) -> list[str]:
    return [title for title, _, _ in road.ARTICLES if title in mail.text]


def everyone() -> None:
    road.subscribe("uyghur@example.org", "Uyghur")
    road.subscribe("huawei@example.org", "Huawei")
    road.subscribe("both@example.org", "Uyghur", "Huawei")
    road.subscribe("cable@example.org", keywords=("Under the Sea",))


def assert_right(boxes: dict[str, list[Got]]) -> None:
    uyghur, huawei = [title for title, _, _ in road.ARTICLES[:2]], [road.ARTICLES[2][0]]
    assert {who: [titles(mail) for mail in mails] for who, mails in boxes.items()} == {
        "uyghur@example.org": [uyghur],
        "huawei@example.org": [huawei],
        "both@example.org": [uyghur + huawei],
        "cable@example.org": [huawei],
    }
    text = " ".join(boxes["both@example.org"][0].text.split())
    assert all(text.count(brief.split("\n")[0].split("’")[0]) == 1 for _, brief, _ in road.ARTICLES[:3])
    assert "Uyghur" in text
    assert "Uighurs" in text
    assert "Example Wire" in text


@pytest.mark.parametrize("feed", [road.posts, road.compiled])
def test_each_follower_gets_one_mail_with_what_they_follow(inbox: Inbox, httpserver: HTTPServer, feed) -> None:
    road.set_up(road.serve(httpserver, feed()))
    everyone()
    done = run_once.once(wait=timedelta(0))
    assert (done.accepted, done.unknown, done.refused) == (4, 0, 0)
    assert_right(inbox())
    again = run_once.once(wait=timedelta(0))
    assert (again.accepted, again.matches) == (0, 0)
    assert_right(inbox())


def test_with_every_stage_run_twice_it_is_the_same(inbox: Inbox, httpserver: HTTPServer, monkeypatch) -> None:
    road.set_up(road.serve(httpserver, road.posts()))
    everyone()

    def twice(name: str, *ids: int) -> None:
        for _ in range(2):
            tasks.run(name, *ids)

    monkeypatch.setattr(tasks, "publish", twice)
    for name in ticks():
        twice(name)
    assert_right(inbox())


def test_ticks_find_the_work_when_every_message_is_lost(inbox: Inbox, httpserver: HTTPServer, monkeypatch) -> None:
    road.set_up(road.serve(httpserver, road.posts()))
    everyone()
    monkeypatch.setattr(tasks, "publish", lambda _name, *_ids: None)
    for _ in range(2):
        for tick in ticks():
            tasks.run(tick)
        for gathering_id in gatherings.unfinished_gatherings():
            tasks.run("compose", gathering_id)
    for tick in ticks():
        tasks.run(tick)
    assert_right(inbox())


def test_what_comes_later_comes_once_and_alone(inbox: Inbox, httpserver: HTTPServer) -> None:
    url = road.serve(httpserver, road.posts(road.ARTICLES[2:]))
    road.set_up(url)
    everyone()
    run_once.once(wait=timedelta(0))
    assert set(inbox()) == {"huawei@example.org", "both@example.org", "cable@example.org"}
    later = (("Uyghur poems in print", "A small press brings out a book.", "Source: Example Wire"),)
    road.serve(httpserver, road.posts(later).replace("post-0", "post-new"))
    _due_again()
    run_once.once(wait=timedelta(0))
    boxes = inbox()
    assert "Uyghur poems" in boxes["uyghur@example.org"][0].text
    assert [len(mails) for mails in boxes.values()] == [1, 2, 1, 1] or len(boxes["both@example.org"]) == 2
    assert "A cable" not in boxes["both@example.org"][1].text


@pytest.mark.parametrize(("announce", "mails"), [("none", 0), ("latest", 1), ("all", 1)])
def test_a_first_poll_does_not_flood(inbox: Inbox, httpserver: HTTPServer, announce: str, mails: int) -> None:
    road.set_up(road.serve(httpserver, road.posts()), announce=announce)
    road.subscribe("both@example.org", "Uyghur", "Huawei")
    run_once.once(wait=timedelta(0))
    boxes = inbox()
    assert len(boxes.get("both@example.org", [])) == mails
    if announce == "latest":
        assert titles(boxes["both@example.org"][0]) == [road.ARTICLES[0][0]]


def test_a_digest_leaves_at_its_hour_with_what_the_alert_left(inbox: Inbox, httpserver: HTTPServer) -> None:
    road.set_up(road.serve(httpserver, road.posts()))
    person = road.subscribe("mixed@example.org", "Huawei", cadence=Cadence.IMMEDIATE)
    road.subscribe("mixed@example.org", "Uyghur", cadence=Cadence.DAILY)
    run_once.once(wait=timedelta(0))
    assert [titles(mail) for mail in inbox()["mixed@example.org"]] == [[road.ARTICLES[2][0]]]
    Rhythm.objects.update(due_at=db.now() - timedelta(minutes=1))
    run_once.once(wait=timedelta(0))
    run_once.once(wait=timedelta(0))
    mails = inbox()["mixed@example.org"]
    assert [titles(mail) for mail in mails] == [[road.ARTICLES[2][0]], [title for title, _, _ in road.ARTICLES[:2]]]
    assert DeliveryItem.objects.filter(subscriber_id=person).count() == 3


def test_one_click_ends_everything_and_nothing_more_is_sent(inbox: Inbox, httpserver: HTTPServer) -> None:
    road.set_up(road.serve(httpserver, road.posts()))
    road.subscribe("leaver@example.org", "Uyghur")
    run_once.once(wait=timedelta(0))
    mail = inbox()["leaver@example.org"][0]
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    target = mail.headers["List-Unsubscribe"].strip("<>")
    assert target.startswith("https://news.example.org/one-click/")
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        urlsplit(target).path, {"List-Unsubscribe": "One-Click"}, headers={"Origin": "https://mail.example"}
    )
    assert answer.status_code == 200
    assert not Subscription.objects.filter(ended_at=None).exists()
    road.serve(httpserver, road.posts((("Uyghur again", "Text.", "Source: A"),)).replace("post-0", "post-9"))
    _due_again()
    run_once.once(wait=timedelta(0))
    assert len(inbox()["leaver@example.org"]) == 1


def test_headers_of_a_mail(inbox: Inbox, httpserver: HTTPServer) -> None:
    road.set_up(road.serve(httpserver, road.posts()))
    road.subscribe("uyghur@example.org", "Uyghur")
    run_once.once(wait=timedelta(0))
    mail = inbox()["uyghur@example.org"][0]
    assert mail.headers["To"] == "uyghur@example.org"
    assert "The Digest" in mail.headers["From"]
    assert mail.headers["Reply-To"] == "people@example.org"
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    assert mail.headers["List-Id"]
    shown = " ".join([mail.subject, *(f"{name}: {value}" for name, value in mail.headers.items())])
    assert not any(word in shown for word in ("Uyghur", "Uighur", "Cameras"))
    reference = listing(wiring.vault())[0].reference
    assert reference in mail.text
    assert reference in mail.html
    assert "@@nl-" not in mail.text + mail.html


def _due_again() -> None:
    for feed in feed_status.listing(now=db.now()):
        manage.mark_due(feed.id, now=db.now())
    wiring.fetcher()
