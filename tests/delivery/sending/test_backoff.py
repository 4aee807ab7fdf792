"""A provider's own word on when to come back is kept to; where it says nothing we wait longer each time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.sending import backoff
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import start_attempt
from newsletter.lib.mail.provider_interface import Deferred
from newsletter.models import Batch
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import run

NOW = factories.NOW


def waits(attempts: int, said: float | None = None) -> float:
    return (backoff.next_try(attempts, NOW, said) - NOW).total_seconds()


@pytest.mark.parametrize(
    ("attempts", "said", "seconds"),
    [(1, 3, 3), (10, 3, 3), (11, 3, 60), (12, 3, 120), (12, 500, 500), (1, 0, 1), (1, -5, 1), (3, 1e9, 86_400)],
)
def test_retry_after_is_followed_until_the_limit(attempts: int, said: float, seconds: float) -> None:
    assert waits(attempts, said) == seconds


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 1), (2, 2), (3, 5), (4, 15), (5, 60), (49, 60)])
def test_backoff_without_retry_after(attempts: int, minutes: int) -> None:
    assert waits(attempts) == minutes * 60


@given(st.integers(1, 3600))
def test_batch_is_retried_for_more_than_a_day_whatever_retry_after_says(said: int) -> None:
    tries = range(1, backoff.MOST_TRIES)
    assert timedelta(seconds=sum(waits(number, said) for number in tries)) > timedelta(days=1)
    assert all(waits(number, said) >= said for number in tries)


@pytest.mark.django_db
@pytest.mark.parametrize("window", [None, 2])
def test_a_reset_of_three_seconds_waits_three_and_leaves_no_reason_behind(window: int | None) -> None:
    factories.open_gate()
    factories.planned(2, provider=PlannedProvider(1, one_letter=window is None))
    run(ScriptedProvider(lambda _parcel: Deferred("429: too many requests", retry_after=3.0), window=window))
    batch = Batch.objects.get()
    assert (batch.state, batch.reason, batch.not_before) == (
        "planned",
        "429: too many requests",
        NOW + timedelta(seconds=3),
    )
    later = NOW + timedelta(seconds=3)
    held = claim_batch(now=later, provider=1)
    assert held is not None
    assert start_attempt(held, now=later, provider=1, window=window, vault=factories.VAULT)
    assert Batch.objects.get().reason is None, "it is being sent again, and what was said before is over"
