"""Days at both ends of the calendar, which no zone turns into a moment: said beside the field, never a fault of ours."""

import pytest
from django.urls import reverse

from tests import factories
from tests.web.desk.conftest import as_owner, owner

pytestmark = pytest.mark.django_db
__all__ = ["as_owner", "owner"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_day_far_away_is_not_searched_for(as_owner, owner, day, zone):
    owner.time_zone = zone
    owner.save()
    factories.item("A hearing")
    for page in ("desk_audit", "desk_items"):
        for name in ("since", "until"):
            assert as_owner.get(reverse(page), {name: day}).status_code == 200
    assert "between 1900 and 2999" in as_owner.get(reverse("desk_items"), {"until": day}).content.decode()
    assert as_owner.get(reverse("desk_items"), {"until": "2026-11-10"}).status_code == 200
