"""A restored backup, a cloned directory, a moved one: the gate closes until somebody confirms; a living one is left alone."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from newsletter.delivery import gate, installation
from newsletter.models import Gate, Pulse
from tests import rows

pytestmark = pytest.mark.django_db

NOW = rows.NOW


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows.open_gate()
    directory = tmp_path / "data"
    directory.mkdir()
    assert gate.guard(directory, now=NOW) is None
    return directory


def look(directory: Path, now: datetime = NOW) -> str | None:
    return gate.guard(directory, now=now)


def test_an_installation_at_work_is_left_alone(data: Path) -> None:
    for _ in range(3):
        assert look(data) is None
    assert gate.closed_by() is None
    assert installation.read(data).mark == Gate.objects.get().mark == 4


def test_a_restored_database_sends_nothing_until_it_is_confirmed(data: Path) -> None:
    backup = Gate.objects.values().get()
    look(data)
    Gate.objects.update(**backup)
    why = look(data)
    assert why is not None and "older" in why
    assert gate.closed_by() == why
    assert look(data) == why
    gate.confirm(data, now=NOW)
    assert gate.closed_by() is None
    assert look(data) is None


def test_a_copied_directory_sends_nothing(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    assert "copy" in (look(copy) or "")
    assert gate.closed_by() is not None


def test_a_moved_directory_is_the_same(data: Path, tmp_path: Path) -> None:
    moved = data.rename(tmp_path / "moved")
    assert look(moved) is None


def test_a_database_of_another_installation_sends_nothing(data: Path) -> None:
    Gate.objects.update(installation_epoch=uuid4())
    assert "two installations" in (look(data) or "")


def test_keys_without_the_file_send_nothing_unless_others_are_at_work(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Pulse.objects.create(name="tick", at=NOW - timedelta(minutes=1))
    assert look(other) is None
    (other / installation.NAME).unlink()
    later = NOW + timedelta(minutes=5)
    assert "not with this data directory" in (look(other, later) or "")
    Pulse.objects.update(at=later)
    assert look(other, later) is not None, "a look of our own is no sign of others"
    assert look(data, later) is None, "the first host is not in doubt"
    gate.confirm(other, now=later)
    assert look(other, later) is look(data, later) is None


def test_a_fresh_database_in_a_used_directory_is_no_doubt(data: Path) -> None:
    Gate.objects.update(installation_epoch=uuid4(), mark=0)
    assert look(data) is None


def test_a_backup_of_before_there_were_marks_is_doubted(data: Path) -> None:
    Gate.objects.update(mark=0)
    assert look(data) is not None


def test_a_directory_that_cannot_be_written_stops_nothing(data: Path, tmp_path: Path) -> None:
    assert look(tmp_path / "missing" / "directory") is not None
    (data / installation.NAME).unlink()
    (data / installation.NAME).mkdir()
    Gate.objects.update(mark=0, sending_open=True, paused_by=None)
    assert look(data) is None
    assert gate.closed_by() is None


def test_an_operators_pause_is_not_overwritten_by_a_good_look(data: Path) -> None:
    gate.pause("tests")
    assert look(data) is None
    assert gate.closed_by() == "tests"


def test_an_operators_pause_does_not_make_a_doubt_forgotten(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    why = look(other)
    assert why is not None
    Pulse.objects.create(name="tick", at=NOW)  # its own look at the tables, as a worker writes it down
    gate.pause("wrong postal address")
    assert gate.closed_by() == why
    assert look(other) == why


def test_processes_that_start_and_look_at_the_same_time_do_not_doubt_each_other(tmp_path: Path) -> None:
    """A mark that another process commits between our two looks, the very first one too, is no restored backup."""
    rows.open_gate()
    real = installation.read
    for _ in range(3):

        def beside(directory: Path) -> installation.Kept | None:
            kept = real(directory)
            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(installation, "read", real)
                gate._move_mark(tmp_path)
            return kept

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(installation, "read", beside)
            assert look(tmp_path) is None
    assert gate.closed_by() is None
