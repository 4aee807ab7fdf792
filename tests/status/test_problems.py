"""What needs attention is read in a fixed number of queries, and every problem says what to do, here and there."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.audit import actor
from newsletter.cli.service.problem_words import sentence
from newsletter.delivery.feedback.reputation import Reputation
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.gates.circuit_breaker import OpenBreaker
from newsletter.delivery.ledger.needs_decision import needs_decision
from newsletter.delivery.routing.provider_status import ProviderStatus
from newsletter.delivery.sending.workers import HeldUp
from newsletter.lib import db
from newsletter.matching.topics.topic_needs import TopicNeed
from newsletter.matching.topics.topic_state import Rank, TopicCondition
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Feed, Pulse, Topic
from newsletter.status.attention import read_attention
from newsletter.status.problem import ProblemKind, Severity
from newsletter.status.problems import problems
from newsletter.web.desk.routed import routed
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


def test_every_problem_leads_to_a_page() -> None:
    """Whatever is wrong links to where it is mended: with everything wrong at once."""
    now = db.now()
    everything = replace(
        read_attention(),
        last_look_at=None,
        sending_paused_by="olga",
        providers=[ProviderStatus("smtp", 2, False, "olga", True, None, None, 3), _out(now)],
        left_alone=[OpenBreaker(12, now, now, 5)],
        held_up=[HeldUp(1, 3, now, None, None, None, now, True)],
        mails={"unknown": 1, "parked": 2, "failed": 3},
        messages={"parked": 1, "asked": 2},
        incidents=1,
        topics=[TopicNeed(5, "Tibet", TopicCondition(rank, now)) for rank in (Rank.BROKEN, Rank.HELD)],
        reputation=[Reputation(3, 1000, 100, 10)],
        sign_ups_slowed=True,
        left_over=2,
        digests_skipped=1,
    )
    told = list(problems(everything))
    assert {one.kind for one in told} == set(ProblemKind) - {ProblemKind.FEEDS}
    assert all(sentence(one) for one in told)
    dead = {one.link.route for one in told if one.link and not routed(one.link.route, one.link.arguments)}
    assert dead <= {"desk_sending"}, "pages that have not landed"


def test_a_topic_on_hold_and_one_that_can_never_match_are_told_by_name() -> None:
    now = db.now()
    held, broken = factories.topic("Tibet"), factories.topic("Ants", query="ants AND NOT ants")
    factories.topic("Fine")
    Topic.objects.filter(id=held.id).update(held_since=now)
    told = [one for one in problems(read_attention()) if one.kind is ProblemKind.TOPICS]
    assert [(one.values["name"], one.since, one.link.arguments) for one in told] == [
        ("Ants", None, {"topic_id": broken.id}),
        ("Tibet", now, {"topic_id": held.id}),
    ]


def _out(now: datetime) -> ProviderStatus:
    return ProviderStatus("sendgrid", 3, True, None, False, now, "refused", 1)
