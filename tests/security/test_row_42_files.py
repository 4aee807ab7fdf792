"""Threat 42: somebody else on the machine reads the data."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.config.validators import SettingsError
from newsletter.settings import keep_private
from tests.security.service import ROOT, Service


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_in_an_open_directory_is_for_one_reader(service: Service) -> None:
    assert mode(service.data) == 0o755, "made before the service, and left as it was"
    with closing(sqlite3.connect(service.data / "newsletter.sqlite3")) as reader:
        # WAL and its index are there while somebody reads
        reader.execute("SELECT COUNT(*) FROM subscriber").fetchall()
        assert service.ask("/readyz").status in (200, 503)
        found = {path.name: mode(path) for path in service.data.iterdir()}
    assert {"keys", "newsletter.sqlite3", "newsletter.sqlite3-wal", "newsletter.sqlite3-shm"} <= found.keys()
    assert set(found.values()) == {0o600}, found


def test_a_directory_that_is_made_is_for_one_reader(tmp_path: Path) -> None:
    run(tmp_path / "made" / "data")
    assert mode(tmp_path / "made" / "data") == 0o700


def test_files_that_were_open_to_others_are_closed_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.sqlite3"
    files = [path, *(tmp_path / f"newsletter.sqlite3-{end}" for end in ("wal", "shm", "journal"))]
    for file in files:
        file.touch(mode=0o644)
        file.chmod(0o664)
    keep_private(path)
    assert {mode(file) for file in files} == {0o600}


def test_a_file_that_is_anothers_and_open_is_an_error_of_one_line(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "newsletter.sqlite3"
    path.touch()
    path.chmod(0o644)

    def refused(self: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refused)
    with pytest.raises(SettingsError, match="chmod 600"):
        keep_private(path)


def test_a_database_elsewhere_is_private_too(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    run(tmp_path / "data", NEWSLETTER_DATABASE_URL=f"sqlite:///{path}")
    assert mode(path) == 0o600


def run(data: Path, **environment: str) -> None:
    """Read the settings in a process of its own, with the umask of most machines."""
    environment |= {"NEWSLETTER_DATA_DIR": str(data), "PYTHONPATH": str(ROOT)}
    code = [sys.executable, "-c", "from newsletter import settings"]
    subprocess.run(code, env={**os.environ, **environment}, umask=0o022, check=True)
