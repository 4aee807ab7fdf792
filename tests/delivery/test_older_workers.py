"""A rolling upgrade: what a worker of the version before writes, who knows no codes, is read by one that knows no words."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection

from newsletter.delivery.sending.claim import claim_batch, due_queues
from newsletter.lib import db
from newsletter.models import Attempt, Batch, Delivery, Event, Gate, Lane
from tests import factories

pytestmark = pytest.mark.django_db
NOW = factories.NOW

PACED = "UPDATE batch SET not_before=%(now)s, reason='waits for its pace', occasion_id=-abs(occasion_id)"
NEW_PACED = (
    "INSERT INTO batch (provider, lane, occasion_id, domain, state, not_before, attempts, size, reason) "
    "VALUES (1, 1, -7, NULL, 'planned', %(now)s, 0, 1, 'waits for its pace')"
)
REFUSED = "UPDATE delivery SET state='failed', reason='RCPT: 550 5.1.1'"
BARE = "UPDATE delivery SET state='failed', reason='RCPT: 550'"
OURS = "UPDATE attempt SET phase='not begun: the worker was held up', outcome='deferred'"
URGENT = (
    "INSERT INTO event (fingerprint, delivery_id, batch_id, kind, at, received_at, detail) "
    "VALUES (%(mark)s, 1, 1, 'retried', %(now)s, %(now)s, 'rule: urgent: no word of it came')"
)
CLOSED = "UPDATE gate SET sending_open=false, paused_by='this data looks restored or copied: the database is older than what'"
OPENED = "UPDATE gate SET sending_open=true, paused_by=NULL"


@pytest.fixture(autouse=True)
def _rows() -> None:
    factories.open_gate()
    (batch_id,) = factories.planned(1).batch_ids
    Attempt.objects.create(batch_id=batch_id, n=1, provider=1, began_at=NOW)


def older(statement: str) -> None:
    db.execute(statement, {"now": NOW, "mark": b"m" * 32})


def codes() -> dict[str, object]:
    return {
        "paced": list(Batch.objects.order_by("id").values_list("paced", flat=True)),
        "recipient_status": Delivery.objects.get().recipient_status,
        "not_begun": Attempt.objects.get().not_begun,
        "rule": list(Event.objects.values_list("rule", flat=True)),
        "closed_for": Gate.objects.get().closed_for,
    }


@pytest.mark.parametrize(
    ("statement", "column", "code"),
    [
        (PACED, "paced", [True]),
        (NEW_PACED, "paced", [False, True]),
        (REFUSED, "recipient_status", "5.1.1"),
        (BARE, "recipient_status", ""),
        (OURS, "not_begun", "held up"),
        (URGENT, "rule", ["urgent"]),
        (CLOSED, "closed_for", "restored"),
    ],
)
def test_the_words_of_an_older_worker_become_codes(statement: str, column: str, code: object) -> None:
    before = codes()
    older(statement)
    assert codes() == {**before, column: code}
    assert not Batch.objects.filter(occasion_id__lt=0).exists()


def test_resume_by_an_older_version_ends_a_doubt() -> None:
    older(CLOSED)
    older(OPENED)
    assert Gate.objects.get().closed_for is None


def test_batch_paced_by_an_older_worker_takes_its_turn() -> None:
    older(NEW_PACED)
    first = Batch.objects.get(occasion_id=7)
    assert [one.paced for one in due_queues((Lane.ALERT,), now=NOW, provider=1) if one.occasion_id == 7] == [True]
    Batch.objects.exclude(id=first.id).delete()
    held = claim_batch(now=NOW, provider=1, lanes=(Lane.ALERT,))
    assert held is not None and held.batch_id == first.id


def test_rows_of_before_get_their_codes() -> None:
    for statement in (PACED, REFUSED, OURS, URGENT, CLOSED):
        older(statement)
    filled = codes()
    Batch.objects.update(paced=False)
    Delivery.objects.update(recipient_status=None)
    Attempt.objects.update(not_begun=None)
    Event.objects.update(rule=None)
    Gate.objects.update(closed_for=None)
    assert codes() != filled
    migration = import_module("newsletter.migrations.0020_states_of_before")
    with connection.cursor() as cursor:
        migration.fill(
            None, SimpleNamespace(connection=connection, execute=lambda sql, params: cursor.execute(sql, params))
        )
    assert codes() == filled
