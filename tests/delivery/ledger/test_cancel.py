"""A subscription ends while its mail may be claimed: what is handed over is never called cancelled."""

import threading

import pytest
from django.db import connection, transaction

from newsletter.delivery.ledger.cancel import cancel_planned
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import start_attempt
from tests import factories

NOW = factories.NOW


@pytest.fixture(autouse=True)
def _gate(db: None) -> None:
    factories.open_gate()


@pytest.mark.django_db(transaction=True)
def test_batch_is_not_claimed_while_its_cancellation_is_uncommitted() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    person = factories.subscriber()
    factories.planned([person])
    cancelled, looked = threading.Event(), threading.Event()

    def stop() -> None:
        with transaction.atomic():
            cancel_planned(person.id, 1)
            cancelled.set()
            looked.wait(10)
        connection.close()

    door = threading.Thread(target=stop)
    door.start()
    try:
        assert cancelled.wait(10)
        assert claim_batch(now=NOW, provider=1) is None
    finally:
        looked.set()
        door.join()
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    assert start_attempt(held, now=NOW, provider=1, window=2, vault=factories.VAULT) == []
    assert ledger_summary().by_state == {"cancelled": 1}
