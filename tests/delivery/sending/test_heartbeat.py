"""A process shows that it lives, whatever the database does meanwhile, and says so when it ends."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from newsletter import delivery_wiring
from newsletter.delivery.sending import heartbeat, workers
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import start_attempt
from newsletter.lib import db
from newsletter.models import Batch, Worker
from newsletter.worker import maintenance
from tests import factories
from tests.faults.servers import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "EVERY", 0.05)
    monkeypatch.setattr(heartbeat, "AGAIN", 0.05)


def test_it_shows_that_it_lives_and_says_when_it_ends(tmp_path: Path) -> None:
    before = db.now()
    with heartbeat.running(tmp_path):
        first = Worker.objects.get()
        assert first.id == heartbeat.worker_id() and before <= first.seen_at <= db.now()
        assert until(lambda: Worker.objects.get().seen_at > first.seen_at, 5) is not None
        assert (tmp_path / heartbeat.DIRECTORY / str(first.id)).exists()
        heartbeat.start(tmp_path)
        assert heartbeat.worker_id() == first.id
    assert not Worker.objects.exists() and heartbeat.worker_id() is None
    assert list((tmp_path / heartbeat.DIRECTORY).iterdir()) == []


def test_it_goes_on_after_the_database_was_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = workers.beat, []

    def away(process: workers.Process) -> None:
        asked.append(connection.connection)
        if 2 <= len(asked) <= 3:
            raise OperationalError("canary+7f3a@example.org")
        real(process)

    monkeypatch.setattr(workers, "beat", away)
    with heartbeat.running(tmp_path):
        seen = Worker.objects.get().seen_at
        assert until(lambda: len(asked) > 4 and Worker.objects.get().seen_at > seen, 5) is not None
    assert asked[3] is None, "it came back on the connection that broke"


def test_a_row_that_was_deleted_comes_again(tmp_path: Path) -> None:
    with heartbeat.running(tmp_path):
        Worker.objects.all().delete()
        assert until(Worker.objects.exists, 5) is not None


def test_it_does_not_keep_a_process_alive(tmp_path: Path) -> None:
    program = (
        "import django; django.setup(); from newsletter.delivery.sending import heartbeat; import pathlib, sys; "
        "heartbeat.start(pathlib.Path(sys.argv[1]))"
    )
    environment = {"NEWSLETTER_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "newsletter.settings"}
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], env=environment, timeout=30, check=False)
    assert ended.returncode == 0


def test_without_a_place_to_write_it_beats_all_the_same(tmp_path: Path) -> None:
    (tmp_path / heartbeat.DIRECTORY).write_text("a file in the way")
    with heartbeat.running(tmp_path):
        assert Worker.objects.exists() and heartbeat.slot() is None


def test_each_thread_has_a_record_of_its_own_and_loses_it_with_the_heartbeat(tmp_path: Path) -> None:
    found = []
    with heartbeat.running(tmp_path):
        mine = delivery_wiring.record()
        other = threading.Thread(target=lambda: found.append(delivery_wiring.record()))
        other.start()
        other.join()
        assert mine is delivery_wiring.record() and mine is not None and found[0] not in (None, mine)
        assert (
            delivery_wiring.senders()[0].worker == heartbeat.worker_id() and delivery_wiring.senders()[0].record is mine
        )
    assert delivery_wiring.record() is None


def test_batch_of_a_dead_process_on_this_host_is_recovered_at_once(settings, tmp_path: Path) -> None:
    """As the embedded service does when it starts: the process before it is dead, for only one may use the data directory."""
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=tmp_path)
    factories.open_gate()
    factories.planned(4)
    beating = heartbeat.Heartbeat(tmp_path)
    workers.beat(beating.process)
    now = db.now()
    held = claim_batch(now=now, provider=1, worker=beating.process.id)
    assert held is not None
    recipients = start_attempt(held, now=now, provider=1, window=3, vault=factories.VAULT)
    assert recipients
    slot = beating.slot()
    assert slot is not None
    slot.open(held.token, [one.delivery_id for one in recipients])
    slot.begun(recipients[0].delivery_id)
    assert beating._file is not None
    os.close(beating._file._descriptor)  # the kernel does this for a process that dies
    assert maintenance.recover_from_dead_workers()
    states = dict(Batch.objects.values_list("state", "size"))
    assert states == {"planned": 3, "unknown": 1}
    assert not Worker.objects.exists()
