"""Every worker's own look at the tables: nothing that goes wrong in one ends it."""

import threading
from dataclasses import replace
from datetime import datetime

import pytest

from newsletter import wiring
from newsletter.delivery.gates.host_guard import HostGuard
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db
from newsletter.models import Pulse
from newsletter.worker import fallback_poll
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_a_new_host_leaves_the_silence_to_those_whose_sign_it_waits_for(monkeypatch, settings, tmp_path) -> None:
    factories.open_gate()
    living = tmp_path / "living"
    living.mkdir()
    HostGuard(living).check_and_advance_mark(now=factories.NOW)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=tmp_path)
    before = db.now()
    Pulse.objects.create(name="tick", at=before)
    stop, standing = threading.Event(), []
    real = HostGuard.close_if_restored

    def look(guard: HostGuard, *, now: datetime) -> Standing:
        standing.append(real(guard, now=now))
        assert Pulse.objects.get().at == before
        if len(standing) == 2:
            HostGuard(living).advance_mark()  # as a worker of another host
        return standing[-1]

    monkeypatch.setattr(HostGuard, "close_if_restored", look)
    monkeypatch.setattr(fallback_poll, "poll_tables", stop.set)
    fallback_poll.poll_when_silent(stop, silence=0.01)
    assert standing == [Standing.NEW_HOST, Standing.NEW_HOST, Standing.OURS]
    assert wiring.config().data_dir == tmp_path and Pulse.objects.get().at > before


@pytest.mark.django_db(transaction=True)
def test_a_look_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.open_gate()
    Pulse.objects.create(name="tick", at=factories.NOW)
    stop, looks = threading.Event(), []

    def look() -> None:
        looks.append(1)
        Pulse.objects.update(at=factories.NOW)
        if len(looks) == 2:
            stop.set()
        raise LookupError("canary+7f3a@example.org")

    monkeypatch.setattr(fallback_poll, "poll_tables", look)
    fallback_poll.poll_when_silent(stop, silence=0.01)
    assert len(looks) == 2
