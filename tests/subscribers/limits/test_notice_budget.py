"""The budget of notices: how fast it spends and refills, and slow sign-ups."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.models import NoticeBudget, SignUpRequest
from newsletter.subscribers.limits import notice_budget
from tests.subscribers.helpers import HOUR, NOW

pytestmark = pytest.mark.django_db
Kind = SignUpRequest.Kind


def test_sign_ups_are_slowed_and_restored():
    assert notice_budget.slow_sign_ups(True, now=NOW) and notice_budget.slowed()
    assert not notice_budget.slow_sign_ups(True, now=NOW)
    assert NoticeBudget.objects.get().per_hour == notice_budget.SLOWED
    assert notice_budget.slow_sign_ups(False, now=NOW) and not notice_budget.slowed()


@given(st.lists(st.floats(0, 5_000), min_size=1, max_size=60))
def test_budget_never_exceeds_stock_and_hourly_rate(gaps):
    """A token bucket, at any moments; a quarter of an hour without notices fills it."""
    row = NoticeBudget(kind=Kind.SIGN_UP, full_at=NOW, per_hour=40)
    row.save = lambda **_: None
    budget, now, sent = notice_budget.Budget(row), NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        while budget.left(now):
            budget.spend(now)
            sent.append(now)
    for start in sent:
        assert sum(start <= moment < start + HOUR for moment in sent) <= 10 + 40
    after_pause, burst = now + notice_budget.STOCK, 0
    while budget.left(after_pause):
        budget.spend(after_pause)
        burst += 1
    assert burst == 10
