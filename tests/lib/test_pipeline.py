"""Several statements in one journey stay one transaction; a batch is accepted whole, or not at all; the carried clock."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from newsletter.delivery import send
from newsletter.delivery.sending import record_outcomes
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import start_attempt
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import Accepted
from newsletter.models import Attempt, Batch, Pulse
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider

pytestmark = pytest.mark.django_db(transaction=True)
on_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="elsewhere there is neither journey nor plan"
)
ADD = "INSERT INTO pulse (name, at) VALUES (%(name)s, %(at)s)"


def test_rows_of_each_in_order_and_what_one_wrote_the_next_reads() -> None:
    told = db.execute_pipeline(
        (ADD, {"name": "a", "at": factories.NOW}),
        ("SELECT name FROM pulse WHERE at<=%(at)s", {"at": factories.NOW}),
        ("UPDATE pulse SET name='b' WHERE name=%(name)s RETURNING name", {"name": "a"}),
    )
    assert told == [[], [("a",)], [("b",)]]
    assert Pulse.objects.get().name == "b"


@pytest.mark.parametrize("inside", [True, False], ids=["in a transaction", "by itself"])
def test_failing_statement_rolls_back_the_pipeline(inside: bool) -> None:
    one = (ADD, {"name": "a", "at": factories.NOW})
    with pytest.raises(IntegrityError):
        if inside:
            with transaction.atomic():
                db.execute_pipeline(one, one)
        else:
            db.execute_pipeline(one, one)
    assert not Pulse.objects.exists()
    db.execute_pipeline(one)
    assert Pulse.objects.count() == 1


def test_without_a_transaction_it_is_one_of_its_own_and_stored_at_once() -> None:
    db.execute_pipeline((ADD, {"name": "a", "at": factories.NOW}))
    connection.close()
    assert Pulse.objects.count() == 1


def test_acceptance_alone_and_with_a_repeated_reference() -> None:
    factories.open_gate()
    for _ in range(2):
        factories.planned(1)
        held = claim_batch(now=factories.NOW, provider=1)
        assert held is not None
        assert start_attempt(held, now=factories.NOW, provider=1, window=None, vault=factories.VAULT)
        record_outcomes.record_outcome(held, Accepted("said twice"), now=factories.NOW)
        with pytest.raises(record_outcomes.LeaseLost):
            record_outcomes.record_outcome(held, Accepted("late"), now=factories.NOW)
    assert set(Batch.objects.values_list("state", "token")) == {("accepted", None)}
    assert sorted(Attempt.objects.values_list("outcome", "provider_ref"), key=str) == [
        ("accepted", "said twice"),
        ("accepted", None),
    ]


def test_the_carried_clock_goes_on_and_is_the_databases() -> None:
    first, exact, later = db.steady_now(), db.now(), db.steady_now()
    assert first <= later
    assert abs(exact - first) < timedelta(seconds=30)
    assert first.utcoffset() == timedelta(0)


@on_postgres
def test_frequent_statement_is_prepared_once() -> None:
    for number in range(3):
        db.rows("SELECT name FROM pulse WHERE name=%(name)s", {"name": str(number)}, prepared=True)
        db.execute_pipeline(("SELECT at FROM pulse WHERE name=%(name)s", {"name": str(number)}))
        db.rows("SELECT 1 FROM pulse")
    kept = [text for (text,) in db.rows("SELECT statement FROM pg_prepared_statements WHERE NOT from_sql ORDER BY 1")]
    assert kept == ["SELECT at FROM pulse WHERE name=$1", "SELECT name FROM pulse WHERE name=$1"]


@on_postgres
def test_no_step_of_a_batch_is_a_transaction_within_another() -> None:
    factories.open_gate()
    factories.planned(3)
    sender = send.Sender(ScriptedProvider(window=None), factories.VAULT, "https://news.example.org", "example.org")
    with CaptureQueriesContext(connection) as asked:
        assert send.send_next(sender, clock=lambda: factories.NOW) == send.Sent(Batch.objects.get().id, accepted=3)
    assert not [one["sql"] for one in asked if "SAVEPOINT" in one["sql"]]
