"""What a mailing came to: the sum closes, and it is called complete when nothing of it is to come."""

from datetime import timedelta

import pytest

from newsletter.delivery.ledger import reports as ledger_reports
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Gathering, Occasion
from tests import factories

pytestmark = pytest.mark.django_db


def composed() -> Occasion:
    """An occasion of four mails, planned in one batch, that was composed to its end."""
    factories.planned(4)
    occasion = Occasion.objects.get()
    Gathering.objects.update_or_create(
        occasion=occasion, rhythm=None, defaults={"cut_at": factories.NOW, "composed_at": factories.NOW}
    )
    return occasion


def accepted() -> None:
    for state in (BatchState.CLAIMED, BatchState.SENDING, BatchState.ACCEPTED):
        Batch.objects.update(state=state)


def test_the_sum_closes_whatever_became_of_each() -> None:
    composed()
    first, second = Delivery.objects.order_by("id")[:2]
    Delivery.objects.filter(id=first.id).update(state=DeliveryState.FAILED)
    Delivery.objects.filter(id=second.id).update(state=DeliveryState.CANCELLED)
    [told] = ledger_reports.mailings(10)
    assert (told.planned, told.under_way, dict(told.by_state)) == (4, 2, {"cancelled": 1, "failed": 1, "planned": 2})
    accepted()
    [told] = ledger_reports.mailings(10)
    assert (told.planned, told.under_way, dict(told.by_state)) == (4, 0, {"accepted": 2, "cancelled": 1, "failed": 1})


def test_it_is_complete_when_nothing_is_to_come_and_stays_so() -> None:
    occasion = composed()
    assert ledger_reports.close_complete(now=factories.NOW) == 0
    accepted()
    assert ledger_reports.close_complete(now=factories.NOW) == 1
    assert ledger_reports.close_complete(now=factories.NOW + timedelta(minutes=1)) == 0
    occasion.refresh_from_db()
    assert occasion.closed_at == factories.NOW


def test_it_is_not_complete_while_more_may_be_planned() -> None:
    composed()
    accepted()
    Gathering.objects.update(composed_at=None)
    assert ledger_reports.close_complete(now=factories.NOW) == 0


def test_mail_that_waits_for_its_pace_is_still_to_come() -> None:
    composed()
    Batch.objects.update(paced=True)
    assert ledger_reports.close_complete(now=factories.NOW) == 0


def test_notices_are_no_mailings() -> None:
    Occasion.objects.create(kind="notice", key="notice:1", created_at=factories.NOW)
    assert ledger_reports.close_complete(now=factories.NOW) == 0
    assert ledger_reports.mailings(10) == []
