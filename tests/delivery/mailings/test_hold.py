"""Hold, release and skip: nothing kept back leaves, nothing leaves twice, and the numbers are those of the ledger."""

import pytest

from newsletter.audit import actor
from newsletter.delivery.mailings.hold import MailingPart, Stopped, hold, release, skip
from newsletter.delivery.mailings.mailing_list import MailingState, mailing, mailing_page, undecided_mailings
from newsletter.delivery.mailings.sums import MailingSums, sums_of
from newsletter.lib.refused import Refused
from newsletter.models import AuditEntry, Batch, BatchState, Delivery, DeliveryItem, Edition, Gathering, Occasion
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import TAKEN, run
from tests.delivery.mailings.mailing_rows import mailing as planned_mailing

pytestmark = pytest.mark.django_db
BY = {"actor": actor.Actor("admin", "olga"), "now": factories.NOW}


@pytest.fixture(autouse=True)
def _gate(db):
    factories.open_gate()


def provider() -> ScriptedProvider:
    return ScriptedProvider(lambda _parcel: TAKEN, number=1)


def sums(occasion: Occasion) -> MailingSums:
    return sums_of([occasion.id])[occasion.id]


def test_a_mailing_on_hold_is_not_sent_and_goes_once_when_it_is_released():
    occasion, other = planned_mailing(4, 2), planned_mailing(1)
    assert hold(MailingPart(occasion.id), **BY) == Stopped(6, 0)
    assert len(run(provider())) == 1
    assert sums(occasion) == MailingSums(parked=6, held=6) and sums(other).accepted == 1
    assert mailing(occasion.id).state is MailingState.HELD and undecided_mailings() == ()
    assert release(MailingPart(occasion.id), **BY) == Stopped(6, 0)
    assert len(run(provider())) == 6
    assert sums(occasion) == MailingSums(accepted=6)
    assert list(AuditEntry.objects.values_list("action", "object_name", "before", "after")) == [
        ("mailing.hold", occasion.key, {"on hold": False}, {"on hold": True}),
        ("mailing.release", occasion.key, {"on hold": True}, {"on hold": False}),
    ]


def test_what_is_planned_later_or_comes_back_from_a_worker_is_kept_back_too():
    occasion = planned_mailing(3)
    Batch.objects.update(state=BatchState.CLAIMED)  # a worker has it while it is put on hold
    Gathering.objects.update(composed_at=None)
    assert hold(MailingPart(occasion.id), **BY) == Stopped(0, 3)
    Batch.objects.update(state=BatchState.PLANNED)
    assert run(provider()) == []
    assert sums(occasion).held == 3


def test_an_edition_on_hold_leaves_the_batch_that_it_shares():
    occasion = planned_mailing(4, 2)
    small = Edition.objects.order_by("-id")[0]
    part = MailingPart(occasion.id, small.id)
    assert Batch.objects.count() == 1 and hold(part, **BY) == Stopped(2, 0)
    assert sums(occasion) == MailingSums(waiting=4, parked=2, held=2)
    assert len(run(provider())) == 4
    assert release(part, **BY) == Stopped(2, 0) and len(run(provider())) == 2
    assert sums(occasion) == MailingSums(accepted=6)


def test_mails_of_an_edition_on_hold_that_come_back_are_split_off_when_they_are_claimed():
    planned_mailing(4, 2)
    Edition.objects.filter(id=Edition.objects.latest("id").id).update(held_at=factories.NOW)
    assert len(run(provider())) == 4
    assert Batch.objects.get(state="parked").size == 2


def test_a_skipped_mailing_is_never_mailed_and_its_items_stay_given():
    occasion = planned_mailing(5)
    people = Delivery.objects.values_list("subscriber_id", flat=True)
    DeliveryItem.objects.bulk_create(DeliveryItem(item_id=1, subscriber_id=person, version=1) for person in people)
    assert skip(MailingPart(occasion.id), **BY) == Stopped(5, 0)
    assert run(provider()) == [] and DeliveryItem.objects.count() == 5
    assert sums(occasion) == MailingSums(cancelled=5)
    assert Batch.objects.get().reason == "skipped by olga"
    assert skip(MailingPart(occasion.id), **BY) == Refused("nothing of it waits any more")


def test_skip_says_how_many_had_gone_and_leaves_them():
    occasion = planned_mailing(3, 2)
    small = Edition.objects.latest("id")
    assert hold(MailingPart(occasion.id, small.id), **BY) == Stopped(2, 0)
    run(provider())
    assert skip(MailingPart(occasion.id), **BY) == Stopped(2, 3)
    assert sums(occasion) == MailingSums(accepted=3, cancelled=2)


def test_a_skipped_edition_ends_its_hold():
    occasion = planned_mailing(3, 2)
    small = Edition.objects.latest("id")
    hold(MailingPart(occasion.id, small.id), **BY)
    assert skip(MailingPart(occasion.id, small.id), **BY) == Stopped(2, 0)
    assert not Edition.objects.filter(held_at__isnull=False).exists()
    assert len(run(provider())) == 3


def test_a_skipped_digest_stays_on_hold_for_later_zones():
    occasion = planned_mailing(3, kind="digest")
    hold(MailingPart(occasion.id), **BY)
    skip(MailingPart(occasion.id), **BY)
    assert mailing(occasion.id).held_at


def test_refusals_say_what_to_do():
    assert isinstance(hold(MailingPart(99), **BY), Refused)
    occasion = planned_mailing(2)
    assert release(MailingPart(occasion.id), **BY) == Refused("it is not on hold")
    Gathering.objects.update(composed_at=None)
    assert skip(MailingPart(occasion.id), **BY) == Refused(
        "it is still being put together: hold it first, then skip it"
    )
    hold(MailingPart(occasion.id), **BY)
    assert hold(MailingPart(occasion.id), **BY) == Refused("it is on hold already")
    assert AuditEntry.objects.count() == 1


def test_mail_in_doubt_is_neither_held_nor_skipped_nor_released():
    occasion = planned_mailing(2)
    Batch.objects.update(state="claimed")
    Batch.objects.update(state="sending")
    Batch.objects.update(state="unknown")
    for decision in (hold, release, skip):
        assert isinstance(decision(MailingPart(occasion.id), **BY), Refused)
    assert [row.id for row in undecided_mailings()] == [occasion.id]
    assert mailing(occasion.key).state is MailingState.UNDECIDED


def test_the_list_goes_on_page_by_page_without_notices():
    newest_first = [planned_mailing(1).id for _ in range(5)][::-1]
    planned_mailing(1, kind="notice")
    first = mailing_page(size=2)
    second = mailing_page(size=2, after=first.after)
    third = mailing_page(size=2, after=second.after, which="open")
    assert [row.id for page in (first, second, third) for row in page.rows] == newest_first and third.after is None
    assert mailing_page(which="done").rows == ()
    assert mailing_page(size=9, but=newest_first[:4]).rows[0].id == newest_first[4]
