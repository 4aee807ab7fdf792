"""What needs attention is read in a fixed number of queries, and every problem says what to do, here and there."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.audit import actor
from newsletter.cli.service.problem_words import sentence
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.ledger.needs_decision import needs_decision
from newsletter.lib import db
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Feed, Pulse
from newsletter.status.attention import read_attention
from newsletter.status.problem import ProblemKind, Severity
from newsletter.status.problems import problems
from newsletter.worker import startup
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready() -> None:
    startup.prepare()


def found() -> dict[ProblemKind, str]:
    return {problem.kind: sentence(problem) for problem in problems(read_attention())}


def test_mails_to_decide_are_counted_by_delivery_and_by_batch() -> None:
    factories.planned(4)
    first, second = Delivery.objects.order_by("id")[:2]
    Delivery.objects.filter(id=first.id).update(state=DeliveryState.UNKNOWN)
    Delivery.objects.filter(id=second.id).update(state=DeliveryState.FAILED)
    assert needs_decision() == {"unknown": 1, "failed": 1}
    Batch.objects.update(state=BatchState.PARKED)
    assert needs_decision() == {"unknown": 1, "parked": 2, "failed": 1}


def test_the_number_of_queries_does_not_grow() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            list(problems(read_attention()))
        return len(captured)

    factories.planned(3)
    Batch.objects.update(state=BatchState.PARKED)
    before = queries()
    for number in range(3):
        factories.planned(3)
        Batch.objects.filter(state=BatchState.PLANNED).update(state=BatchState.PARKED)
        Feed.objects.create(
            url=f"https://{number}.example/", failures=3, next_fetch_at=db.now(), created_at=db.now(), title=str(number)
        )
    assert queries() == before <= 25


def test_a_problem_says_how_grave_it_is_and_where_it_is_mended() -> None:
    sending_gate.pause("olga", now=db.now(), actor=actor.from_rule("a test"))
    Feed.objects.create(
        url="https://a.example/", title="A {b}", failures=2, next_fetch_at=db.now(), created_at=db.now()
    )
    Pulse.objects.update(at=db.now() - timedelta(hours=1))
    told = list(problems(read_attention()))
    assert [one.severity for one in told] == sorted(one.severity for one in told)
    assert told[0].kind is ProblemKind.NOT_RUNNING and told[0].severity is Severity.STOPPED
    assert found()[ProblemKind.SENDING_PAUSED] == "sending is PAUSED by olga: 'newsletter sending resume' opens it"
    feeds = next(one for one in told if one.kind is ProblemKind.FEEDS)
    assert sentence(feeds) == "1 feed needs a look (1 broken): see 'newsletter feeds list'"
    assert feeds.parts[0].worded(str) == "the feed “A {b}” could not be read 2 times in a row"
    assert all(one.link for one in told)
