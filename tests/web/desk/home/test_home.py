"""Home answers whether everything is all right; any admin pauses sending, owners resume it with the number that waits."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.delivery.gates import sending_gate
from newsletter.delivery.sending import workers
from newsletter.lib import db
from newsletter.models import AuditEntry, Batch, BatchState, Feed, Match, Pulse, Topic
from newsletter.status.remembered import Remembered
from newsletter.worker import startup
from tests import factories

pytestmark = pytest.mark.django_db
EMPTY = "Three steps to your first mail"


@pytest.fixture(autouse=True)
def _ready() -> None:
    Remembered.forget_all()
    startup.prepare()
    workers.beat(workers.Process(uuid4(), "web-1", 17, "1.2.3"))


def page(client, path: str = "/desk/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def feed(number: int, **columns: object) -> Feed:
    now = db.now()
    values = {
        "title": f"Radio {number}",
        "next_fetch_at": now + timedelta(hours=1),
        "created_at": now,
        "started_at": now,
    }
    return Feed.objects.create(url=f"https://{number}.example/", **values | columns)


def test_an_empty_installation_has_three_steps_that_are_ticked_off(as_editor) -> None:
    html = page(as_editor)
    assert EMPTY in html and html.count('<li class="done">') == 0 and "Subscribe yourself" in html
    feed(1)
    factories.topic("Cable")
    assert page(as_editor).count('<li class="done">') == 2
    factories.subscriber()
    html = page(as_editor)
    assert "Yes. Everything runs, and nothing needs you." in html and 'class="first-steps"' not in html


def test_each_problem_has_a_sentence_the_gravest_first(as_owner) -> None:
    factories.topic("Cable")
    factories.planned(3)
    Batch.objects.update(state=BatchState.PARKED)
    Feed.objects.update(next_fetch_at=db.now() + timedelta(hours=1))
    feed(1, title="A <b>", failures=3)
    html = page(as_owner)
    assert "Mostly: 2 things need a look." in html and "3 parked mails for you to decide." in html
    assert "The feed “A &lt;b&gt;” could not be read 3 times in a row." in html
    Pulse.objects.filter(name="tick").update(at=db.now() - timedelta(hours=1))
    html = page(as_owner)
    assert "No: something has stopped." in html
    assert html.index("although one is alive") < html.index("3 parked mails")


def test_a_topic_on_hold_is_not_forgotten(as_editor) -> None:
    topic, now = factories.topic("Huawei"), db.now()
    Match.objects.create(
        item=factories.item(), topic=topic, item_version=1, revision_id=1, matched_at=now, owe_until=now, held_at=now
    )
    Topic.objects.update(held_since=now)
    factories.planned(2)
    Batch.objects.update(state=BatchState.PARKED, held_at=now)
    html = page(as_editor)
    assert "“<bdi>Alert of " in html and "needs a look" not in html.partition("Kept back")[2]
    assert "The topic “<bdi>Huawei</bdi>” has been on hold since" in html and "1 match waits" in html
    assert html.count("<bdi>Huawei</bdi>” ") == 1 and "its matches are mailed to nobody" not in html


def test_any_admin_pauses_and_an_owner_resumes_with_the_number_that_waits(as_editor, as_owner) -> None:
    factories.planned(3)
    assert "Resuming sends the 3 waiting mails" in page(as_editor)
    assert "an address" in as_editor.post("/desk/pause/", {"reason": "ask a@b.example"}).content.decode()
    assert sending_gate.pause_reason() is None
    assert as_editor.post("/desk/pause/", {"reason": "wrong postal address"}).status_code == 303
    assert sending_gate.pause_reason() == "ed: wrong postal address"
    assert "Sending is paused by ed: wrong postal address." in page(as_editor)
    assert as_editor.post("/desk/resume/", {"waiting": "3"}).status_code == 403
    assert "Only owners may resume" in page(as_editor, "/desk/pause/")
    assert 'name="waiting" value="3"' in page(as_owner, "/desk/pause/")
    as_owner.post("/desk/resume/", {"waiting": "20"})
    assert sending_gate.pause_reason() is not None
    assert "In the meantime 3 mails wait" in page(as_owner, "/desk/pause/")
    assert as_owner.post("/desk/resume/", {"waiting": "3"}).url == "/desk/"
    assert sending_gate.pause_reason() is None and "3 mails that waited go out now" in page(as_owner)
    rows = AuditEntry.objects.filter(object_kind="sending").order_by("id").values_list("action", "actor", "actor_kind")
    assert list(rows) == [("sending.pause", "ed", "admin"), ("sending.resume", "olga", "admin")]


def test_home_asks_a_fixed_number_of_questions(as_owner) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(as_owner)
        return len(captured)

    feed(0, failures=1)
    factories.planned(2)
    page(as_owner)
    before = queries()
    for number in range(1, 4):
        feed(number, failures=number)
        factories.planned(2)
        Batch.objects.filter(state=BatchState.PLANNED).update(state=BatchState.PARKED)
    assert queries() == before <= 48
