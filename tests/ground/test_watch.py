"""Every worker's own look at the tables: nothing that goes wrong in one ends it."""

import threading

import pytest

from newsletter import watch
from newsletter.models import Pulse
from tests import rows


@pytest.mark.django_db(transaction=True)
def test_a_look_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    Pulse.objects.create(name="tick", at=rows.NOW)
    stop, looks = threading.Event(), []

    def look() -> None:
        looks.append(1)
        Pulse.objects.update(at=rows.NOW)
        if len(looks) == 2:
            stop.set()
        raise LookupError("canary+7f3a@example.org")

    monkeypatch.setattr(watch, "_look", look)
    watch.watch(stop, silence=0.01)
    assert len(looks) == 2
