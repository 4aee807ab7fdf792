"""A record is believed only of a process of this machine that is surely dead; a stopped one, a copy, a restart are not."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from newsletter.lib.mail import window_record
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Rejected, Unknown
from newsletter.lib.mail.window_record import MOST, SLOTS, DeadWorker, MailProgress, WorkerFile, dead_workers

ID, TOKEN = UUID(int=1), UUID(int=2)
PROGRAM = """
import sys, time, uuid
from pathlib import Path
from newsletter.lib.mail.provider_interface import Accepted
from newsletter.lib.mail.window_record import WorkerFile
slot = WorkerFile(Path(sys.argv[1]) / str(uuid.UUID(int=1))).slot()
slot.open(uuid.UUID(int=2), [10, 11, 12])
slot.begun(10)
slot.answered(10, Accepted())
slot.begun(11)
print("open", flush=True)
time.sleep(60)
"""
WINDOW = {10: MailProgress.ACCEPTED, 11: MailProgress.BEGUN, 12: MailProgress.NOT_TAKEN}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None and started.stdout.readline() == "open\n"
    yield started
    started.kill()
    started.wait()


def found(directory: Path, but: UUID | None = None) -> list[DeadWorker]:
    return list(dead_workers(directory, excluding=but))


def test_a_killed_process_is_found_once_with_what_it_wrote(process, tmp_path: Path) -> None:
    process.kill()
    process.wait()
    assert found(tmp_path, but=ID) == []
    assert found(tmp_path) == [DeadWorker(ID, {TOKEN: WINDOW})]
    assert found(tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_it_is_found_again_when_looking_after_it_failed(process, tmp_path: Path) -> None:
    process.kill()
    process.wait()
    with pytest.raises(LookupError):
        for _ in dead_workers(tmp_path, excluding=None):
            raise LookupError
    assert len(found(tmp_path)) == 1


@pytest.mark.parametrize("stopped", [False, True])
def test_a_process_that_lives_or_is_only_stopped_is_not_dead(process, tmp_path: Path, stopped: bool) -> None:
    if stopped:
        process.send_signal(signal.SIGSTOP)
    assert found(tmp_path) == []
    process.send_signal(signal.SIGCONT)
    assert found(tmp_path) == [] and len(list(tmp_path.iterdir())) == 1


def test_a_copy_of_a_living_process_proves_nothing(process, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy2(tmp_path / str(ID), copy / str(ID))
    assert found(copy) == []


def test_a_file_from_before_a_restart_of_the_machine_proves_nothing(process, tmp_path: Path, monkeypatch) -> None:
    process.kill()
    process.wait()
    monkeypatch.setattr(window_record, "_boot_id", lambda: bytes(36))
    assert found(tmp_path) == []


def test_a_fork_that_lives_on_does_not_keep_its_parent_alive(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:  # as a worker that forked its parser of feeds, and was killed
        kept = WorkerFile(tmp_path / str(ID))
        if os.fork() == 0:
            time.sleep(15)
            os._exit(0)
        assert kept
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert [one.id for one in found(tmp_path)] == [ID]


def test_nothing_half_written_belongs_to_anybody(tmp_path: Path, monkeypatch) -> None:
    slot = WorkerFile(tmp_path / str(ID)).slot()
    assert slot is not None
    slot.open(TOKEN, [10])
    slot.begun(10)
    slot.begun(99)
    slot.open(UUID(int=3), range(MOST + 1))
    slot.begun(10)
    assert window_record._read((tmp_path / str(ID)).read_bytes()) == {}


@pytest.mark.parametrize(
    ("outcome", "progress"),
    [
        (Accepted(), MailProgress.ACCEPTED),
        (Unknown("x"), MailProgress.BEGUN),
        (Deferred("451"), MailProgress.NOT_TAKEN),
        (Rejected("550"), MailProgress.NOT_TAKEN),
    ],
)
def test_what_an_answer_proves(tmp_path: Path, outcome, progress: MailProgress) -> None:
    slot = WorkerFile(tmp_path / str(ID)).slot()
    assert slot is not None
    slot.open(TOKEN, [10])
    slot.begun(10)
    slot.answered(10, outcome)
    assert window_record._read((tmp_path / str(ID)).read_bytes()) == {TOKEN: {10: progress}}


def test_threads_have_places_of_their_own_as_long_as_there_are_some(tmp_path: Path) -> None:
    file = WorkerFile(tmp_path / str(ID))
    for number in range(SLOTS):
        slot = file.slot()
        assert slot is not None
        slot.open(UUID(int=100 + number), [number])
    assert file.slot() is None
    read = window_record._read((tmp_path / str(ID)).read_bytes())
    assert read == {UUID(int=100 + number): {number: MailProgress.NOT_TAKEN} for number in range(SLOTS)}
    file.remove()
    assert found(tmp_path) == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("raw", [b"", b"x" * 10, b"x" * 5000])
def test_files_of_others_and_broken_ones_are_passed_over(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "notes.txt").write_bytes(raw)
    (tmp_path / str(ID)).write_bytes(raw)
    assert found(tmp_path) == []
    assert (tmp_path / "notes.txt").exists()
