"""Whoever takes a part of a batch takes the waived hand-overs along."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from newsletter.delivery.ledger import resend
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.split_batch import HAS_WAIVED_ATTEMPT
from newsletter.delivery.routing import move_batches
from newsletter.delivery.sending import record_outcomes
from newsletter.delivery.sending.claim import claim_batch, release_claim
from newsletter.delivery.sending.pacing import split_claimed_batch
from newsletter.delivery.sending.recipients import start_attempt
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import Rejected, Unknown
from newsletter.models import Attempt, Batch, Delivery, Edition
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import LATER, OPERATOR_NOTE, in_doubt, run
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def carries(number: int) -> bool:
    """What a claim of this batch says of it."""
    return bool(db.rows(f"SELECT 1 FROM batch WHERE id=%s AND {HAS_WAIVED_ATTEMPT}", [number]))


def waived() -> Batch:
    """Four mails that were in doubt and go again by an operator's word."""
    resend.retry(in_doubt(4)[0], OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=True, actor=ACTOR)
    return Batch.objects.get()


def halve(_batch: Batch) -> None:
    held = claim_batch(now=LATER, provider=1)
    assert held is not None
    with transaction.atomic():
        start_attempt(held, now=LATER, provider=1, window=None, vault=factories.VAULT)
        record_outcomes.record_outcome(held, Rejected("413", split=True), now=LATER)


def keep_one(_batch: Batch) -> None:
    held = claim_batch(now=LATER, provider=1)
    assert held is not None
    record_outcomes.keep_probe_mail(held, now=LATER)
    release_claim(held)


def part(_batch: Batch) -> None:
    held = claim_batch(now=LATER, provider=1)
    assert held is not None
    ids = list(Delivery.objects.values_list("id", flat=True))
    with transaction.atomic():
        split_claimed_batch(held, ids[:1], {5.0: ids[1:2], 9.0: ids[2:]}, now=LATER)


def regroup(_batch: Batch) -> None:
    edition = Edition.objects.get()
    edition.pk, edition.key = None, b"another"
    edition.save(force_insert=True)
    Delivery.objects.filter(id=Delivery.objects.order_by("id").first().id).update(edition=edition)
    move_batches.move_batches(1, PlannedProvider(2, one_letter=True), now=LATER, actor=ACTOR)


@pytest.mark.parametrize("change", [halve, keep_one, part, regroup])
def test_every_part_of_a_batch_that_goes_again_says_by_whose_word(change: Callable[[Batch], None]) -> None:
    change(waived())
    parts = set(Delivery.objects.values_list("batch_id", flat=True))
    assert len(parts) > 1
    for number in parts:
        told = Attempt.objects.filter(batch_id=number, waived_by__isnull=False).values_list("n", "waived_by", "outcome")
        assert list(told) == [(1, str(OPERATOR_NOTE), "unknown")]
        assert carries(number)


def test_every_part_can_be_handed_over_and_waived_again() -> None:
    keep_one(waived())
    provider = ScriptedProvider(lambda _parcel: Unknown("no answer"), window=None)
    run(provider, LATER + timedelta(minutes=10))
    assert len(provider.handed) == 4
    for number in set(Delivery.objects.values_list("batch_id", flat=True)):
        assert Attempt.objects.filter(batch_id=number).count() == 2


def test_mail_never_in_doubt_has_no_note_of_a_second_copy() -> None:
    factories.planned(4)
    keep_one(Batch.objects.get())
    assert not any(map(carries, Batch.objects.values_list("id", flat=True)))
    assert not Attempt.objects.exists()
