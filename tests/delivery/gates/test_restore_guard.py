"""A restored backup, a cloned directory, a moved one: the gate closes until somebody confirms; a living one is left alone."""

import shutil
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter import delivery_wiring
from newsletter.cli.service.doctor import work
from newsletter.delivery.gates import restore_guard, sending_gate
from newsletter.delivery.gates.host_guard import HostGuard
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.delivery.gates.resume_sending import resume_sending
from newsletter.delivery.send import Sender
from newsletter.lib import db
from newsletter.models import Gate, Pulse
from newsletter.worker import maintenance, send_loop, startup
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.factories import ACTOR
from tests.journey import road

pytestmark = pytest.mark.django_db

NOW = factories.NOW


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_loop, "_checked", threading.local())  # a test before may have left the same connection


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The data directory of a further host: keys, and no file."""
    directory = tmp_path / "other"
    directory.mkdir()
    return directory


@pytest.fixture
def data(tmp_path: Path) -> Path:
    factories.open_gate()
    directory = tmp_path / "data"
    directory.mkdir()
    assert HostGuard(directory).check_and_advance_mark(now=NOW) is Standing.OURS
    return directory


def look(directory: Path, now: datetime = NOW) -> Standing:
    return delivery_wiring._host_guard(directory).check_and_advance_mark(now=now)


def at_work(directory: Path, now: datetime = NOW) -> None:
    """A look in a process of another host."""
    assert HostGuard(directory).check_and_advance_mark(now=now) is Standing.OURS


def test_working_installation_stays_open(data: Path) -> None:
    for _ in range(3):
        assert look(data) is Standing.OURS
    assert sending_gate.pause_reason() is None
    assert restore_guard.read(data).mark == Gate.objects.get().mark == 4


def test_a_restored_database_sends_nothing_until_it_is_confirmed(data: Path) -> None:
    backup = Gate.objects.values().get()
    look(data)
    Gate.objects.update(**backup)
    assert look(data) is Standing.BEHIND
    assert sending_gate.pause_reason() == Standing.BEHIND.value
    assert look(data) is Standing.BEHIND
    HostGuard(data).confirm_installation(now=NOW, actor=ACTOR)
    assert sending_gate.pause_reason() is None
    assert look(data) is Standing.OURS


def test_a_copied_directory_sends_nothing(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    assert look(copy) is Standing.COPY
    assert sending_gate.pause_reason() is not None


def test_a_moved_directory_is_the_same(data: Path, tmp_path: Path) -> None:
    moved = data.rename(tmp_path / "moved")
    assert look(moved) is Standing.OURS


def test_a_database_of_another_installation_sends_nothing(data: Path) -> None:
    Gate.objects.update(installation_epoch=uuid4())
    assert look(data) is Standing.MISMATCH


def test_a_further_host_sends_once_it_saw_another_at_work(data: Path, other: Path) -> None:
    Pulse.objects.create(name="tick", at=NOW - timedelta(minutes=1))
    for _ in range(3):
        assert look(other) == Standing.NEW_HOST
    at_work(data)
    assert sending_gate.pause_reason() is None
    assert look(other) is look(other) is Standing.OURS
    assert look(other, NOW + timedelta(days=3)) is Standing.OURS, "with a file of its own it starts in any silence"
    at_work(data)


def test_a_process_that_only_sends_makes_its_host_known_to_the_others(data: Path, other: Path) -> None:
    Pulse.objects.create(name="tick", at=NOW)
    assert delivery_wiring._host_guard(other).close_if_restored(now=NOW) == Standing.NEW_HOST
    at_work(data)
    assert delivery_wiring._host_guard(other).close_if_restored(now=NOW) is Standing.OURS
    assert HostGuard(other).close_if_restored(now=NOW) is Standing.OURS


def test_a_host_that_joined_sends_although_its_directory_takes_no_file(data: Path, other: Path) -> None:
    (other / restore_guard.FILE_NAME).mkdir()
    Pulse.objects.create(name="tick", at=NOW)
    assert look(other) == Standing.NEW_HOST
    at_work(data)
    mark = Gate.objects.get().mark
    assert look(other) is look(other) is Standing.OURS
    assert Gate.objects.get().mark == mark, "a host without a file is no sign for others"


def test_a_database_cloned_a_moment_ago_sends_nothing_and_closes_in_the_silence(
    data: Path, other: Path, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`CREATE DATABASE … TEMPLATE` of a service at work, and the keys: its last look stands there as if it went on."""
    Pulse.objects.create(name="tick", at=NOW - timedelta(seconds=5))
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=other)
    factories.planned(1)
    provider = ScriptedProvider()
    sender = Sender(provider=provider, vault=factories.VAULT, base_url="https://news.example.org", domain="example.org")
    monkeypatch.setattr(delivery_wiring, "senders", lambda: [sender])
    for seconds in range(0, 180, 15):  # a worker's ticks, as they come
        now = NOW + timedelta(seconds=seconds)
        monkeypatch.setattr(db, "now", lambda now=now: now)
        maintenance.recover()
        assert send_loop.send_next() is None
    assert sending_gate.pause_reason() == Standing.NO_FILE.value
    assert provider.handed == []


def test_a_clone_that_takes_the_place_of_a_clone_is_met_afresh(data: Path, other: Path) -> None:
    Pulse.objects.create(name="tick", at=NOW)
    assert look(other) == Standing.NEW_HOST
    assert look(other, NOW + timedelta(minutes=5)) is not None
    Gate.objects.update(mark=500, sending_open=True, paused_by=None)
    Pulse.objects.update(at=NOW + timedelta(days=1))
    for _ in range(2):
        assert look(other, NOW + timedelta(days=1)) == Standing.NEW_HOST


def test_pages_make_their_host_known_and_close_nothing_meanwhile(
    data: Path, other: Path, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=other)
    monkeypatch.setattr(startup, "close_old_connections", lambda: None)
    Pulse.objects.create(name="tick", at=db.now())
    stopped = threading.Event()
    looks: list[Standing] = []
    real = HostGuard.check

    def standing(guard: HostGuard, *, now: datetime) -> Standing:
        looks.append(real(guard, now=now))
        if len(looks) == 2:
            Pulse.objects.update(at=now - timedelta(hours=1))
        if len(looks) == 4:
            Pulse.objects.update(at=now)
        if len(looks) == 5:
            HostGuard(data).advance_mark()  # as a worker of another host
        return looks[-1]

    monkeypatch.setattr(HostGuard, "check", standing)
    monkeypatch.setattr(HostGuard, "close_if_restored", lambda *_, **__: None)
    startup.wait_until_joined(stopped, every=0.001)
    new, none, ours = Standing.NEW_HOST, Standing.NO_FILE, Standing.OURS
    assert looks == [new, new, none, none, new, ours]
    assert sending_gate.pause_reason() is None
    assert restore_guard.read(other) is not None


def test_an_operators_resume_on_a_new_host_opens_and_does_not_let_it_send(data: Path, other: Path, settings) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=other)
    Pulse.objects.create(name="tick", at=db.now())
    sending_gate.pause("tests", now=NOW, actor=ACTOR)
    resume_sending(HostGuard(other), now=db.now(), actor=ACTOR)
    assert sending_gate.pause_reason() is None
    assert send_loop.send_next() is None
    assert restore_guard.read(other) is None


def test_keys_without_the_file_send_nothing_when_nobody_is_at_work(data: Path, other: Path) -> None:
    Pulse.objects.create(name="tick", at=NOW)
    later = NOW + timedelta(minutes=5)
    assert look(other, later) is Standing.NO_FILE
    Pulse.objects.update(at=later)
    assert look(other, later).in_doubt, "a look of our own is no sign of others"
    assert look(data, later) is Standing.OURS, "the first host is not in doubt"
    HostGuard(other).confirm_installation(now=NOW, actor=ACTOR)
    assert look(other, later) is look(data, later) is Standing.OURS


def test_a_fresh_database_in_a_used_directory_is_no_doubt(data: Path) -> None:
    Gate.objects.update(installation_epoch=uuid4(), mark=0)
    assert look(data) is Standing.OURS


def test_a_backup_of_before_there_were_marks_is_doubted(data: Path) -> None:
    Gate.objects.update(mark=0)
    assert look(data).in_doubt


def test_a_directory_that_cannot_be_written_stops_nothing(data: Path, tmp_path: Path) -> None:
    assert look(tmp_path / "missing" / "directory").in_doubt
    (data / restore_guard.FILE_NAME).unlink()
    (data / restore_guard.FILE_NAME).mkdir()
    Gate.objects.update(mark=0, sending_open=True, paused_by=None)
    assert look(data) is Standing.OURS
    assert sending_gate.pause_reason() is None


def test_successful_check_does_not_overwrite_an_operators_pause(data: Path) -> None:
    sending_gate.pause("tests", now=NOW, actor=ACTOR)
    assert look(data) is Standing.OURS
    assert sending_gate.pause_reason() == "tests"


def test_operators_pause_keeps_a_doubt_about_the_data(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    why = look(other)
    assert why.in_doubt
    Pulse.objects.create(name="tick", at=NOW)  # its own look at the tables, as a worker writes it down
    sending_gate.pause("wrong postal address", now=NOW, actor=ACTOR)
    assert sending_gate.pause_reason() == why.value
    assert look(other) is why


def test_processes_that_start_and_look_at_the_same_time_do_not_doubt_each_other(tmp_path: Path) -> None:
    """A mark that another process commits between our two looks, the very first one too, is no restored backup."""
    factories.open_gate()
    real = restore_guard.read
    for _ in range(3):

        def beside(directory: Path) -> restore_guard.KeptMark | None:
            kept = real(directory)
            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(restore_guard, "read", real)
                HostGuard(tmp_path).advance_mark()
            return kept

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(restore_guard, "read", beside)
            assert look(tmp_path) is Standing.OURS
    assert sending_gate.pause_reason() is None


def test_reading_the_standing_writes_nothing_and_joining_writes_the_file(data: Path, other: Path, settings) -> None:
    """`doctor` and `once` ask how this host stands: that makes it no host that sends."""
    Pulse.objects.create(name="tick", at=NOW)
    assert delivery_wiring._host_guard(other).check(now=NOW) is Standing.NEW_HOST
    at_work(data)
    before = Gate.objects.values().get()
    with CaptureQueriesContext(connection) as asked:
        assert delivery_wiring._host_guard(other).check(now=NOW) is Standing.OURS
        with road.configured(settings, data_dir=other):
            assert [one.what for one in work.work() if one.what == "this host"] == []
    assert Gate.objects.values().get() == before and list(other.iterdir()) == []
    assert not [one["sql"] for one in asked if one["sql"].startswith(("UPDATE gate", 'UPDATE "gate"'))]
    assert delivery_wiring._host_guard(other).check_and_join(now=NOW) is Standing.OURS
    assert restore_guard.read(other).mark == Gate.objects.get().mark == before["mark"] + 1


def test_a_doubt_is_read_without_closing_anything(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    before = Gate.objects.values().get()
    assert delivery_wiring._host_guard(copy).check(now=NOW) is Standing.COPY
    assert Gate.objects.values().get() == before


KEPT = restore_guard.KeptMark(UUID(int=1), 5, 1)
SEEN = restore_guard.Observed(KEPT, False, KEPT.epoch, 5, moved=False, living=True, doubted=False)


@pytest.mark.parametrize(
    ("seen", "standing"),
    [
        (SEEN, Standing.OURS),
        (replace(SEEN, mark=6), Standing.OURS),
        (replace(SEEN, doubted=True, living=False), Standing.OURS),
        (replace(SEEN, mark=4), Standing.BEHIND),
        (replace(SEEN, mark=0), Standing.BEHIND),
        (replace(SEEN, copied=True), Standing.COPY),
        (replace(SEEN, epoch=UUID(int=2)), Standing.MISMATCH),
        (replace(SEEN, epoch=UUID(int=2), mark=0), Standing.OURS),
        (replace(SEEN, kept=None, mark=0), Standing.OURS),
        (replace(SEEN, kept=None), Standing.NEW_HOST),
        (replace(SEEN, kept=None, moved=True), Standing.OURS),
        (replace(SEEN, kept=None, moved=True, doubted=True), Standing.NO_FILE),
        (replace(SEEN, kept=None, living=False), Standing.NO_FILE),
    ],
)
def test_each_line_of_the_table(seen: restore_guard.Observed, standing: Standing) -> None:
    assert restore_guard.decide_standing(seen) is standing
