"""Hold, release, skip and send in any order: the sum closes, nobody is mailed twice, and nothing on hold leaves."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.audit import actor
from newsletter.delivery import send
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.mailings.hold import MailingPart, hold, release, skip
from newsletter.delivery.mailings.sums import sums_of
from newsletter.lib.mail.provider_interface import Accepted, Deferred
from newsletter.models import Batch, Delivery, Edition, Occasion
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider, sender
from tests.delivery.mailings.mailing_rows import mailing

pytestmark = pytest.mark.django_db
BY = {"actor": actor.Actor("admin", "olga"), "now": factories.NOW}
SIZES = (4, 3, 2)
DECISIONS = {"hold": hold, "release": release, "skip": skip}
#: (what, which): a decision on the mailing (0) or on one of its editions, or a batch that is sent or put off.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([*sorted(DECISIONS), "hold too late"]), st.integers(0, len(SIZES))),
        st.tuples(st.sampled_from(["send", "put off"]), st.just(0)),
    ),
    max_size=12,
)


def hand_over(outcome) -> list[int]:
    provider = ScriptedProvider(lambda _parcel: outcome, number=1)
    send.send_next(sender(provider), clock=lambda: factories.NOW)
    return [parcel.delivery_id for parcel in provider.handed]


def hold_too_late(part: MailingPart) -> None:
    """Hold while workers have all that waits, and give it back."""
    taken = list(Batch.objects.filter(state="planned").values_list("id", flat=True))
    Batch.objects.filter(id__in=taken[1:]).update(state="claimed")
    hold(part, **BY)
    Batch.objects.filter(id__in=taken[1:], state="claimed").update(state="planned")


def kept_back() -> set[int]:
    if Occasion.objects.get().held_at:
        return set(Delivery.objects.values_list("id", flat=True))
    return set(Delivery.objects.filter(edition__held_at__isnull=False).values_list("id", flat=True))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[("hold too late", 0), ("send", 0)], one_letter=True)
@given(steps=STEPS, one_letter=st.booleans())
def test_whatever_is_decided_the_sum_closes_and_nobody_is_mailed_twice(steps, one_letter):
    with transaction.atomic():
        factories.open_gate()
        occasion = mailing(*SIZES, provider=PlannedProvider(1, one_letter=one_letter))
        editions = [None, *Edition.objects.order_by("id").values_list("id", flat=True)]
        mailed: list[int] = []
        for what, which in steps:
            part = MailingPart(occasion.id, editions[which])
            if what in DECISIONS:
                DECISIONS[what](part, **BY)
            elif what == "hold too late":
                hold_too_late(part)
            else:
                held = kept_back()
                handed = hand_over(Accepted() if what == "send" else Deferred("busy", retry_after=0))
                assert not held & set(handed)
                Batch.objects.filter(state="planned").update(not_before=factories.NOW)
                mailed += handed if what == "send" else []
            sums = sums_of([occasion.id])[occasion.id]
            assert sums.planned == sum(SIZES) == sum(Batch.objects.values_list("size", flat=True))
            assert sums.accepted == len(mailed) == len(set(mailed))
        transaction.set_rollback(True)
