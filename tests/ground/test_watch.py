"""Every worker's own look at the tables: nothing that goes wrong in one ends it."""

import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from newsletter import db, watch, wiring
from newsletter.delivery import gate, installation
from newsletter.models import Pulse
from tests import rows


@pytest.mark.django_db(transaction=True)
def test_a_new_host_leaves_the_silence_to_those_whose_sign_it_waits_for(monkeypatch, settings, tmp_path) -> None:
    rows.open_gate()
    living = tmp_path / "living"
    living.mkdir()
    gate.guard(living, now=rows.NOW)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=tmp_path)
    monkeypatch.setattr(gate, "_FIRST_SEEN", {})
    before = db.now()
    Pulse.objects.create(name="tick", at=before)
    stop, standing = threading.Event(), []
    real = gate.look

    def look(directory: Path, *, now: datetime) -> str | None:
        standing.append(real(directory, now=now))
        assert Pulse.objects.get().at == before
        if len(standing) == 2:
            gate._move_mark(living)  # as a worker of another host
        return standing[-1]

    monkeypatch.setattr(gate, "look", look)
    monkeypatch.setattr(watch, "_look", stop.set)
    watch.watch(stop, silence=0.01)
    assert standing == [installation.WAITS, installation.WAITS, None]
    assert wiring.config().data_dir == tmp_path and Pulse.objects.get().at > before


@pytest.mark.django_db(transaction=True)
def test_a_look_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    rows.open_gate()
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
