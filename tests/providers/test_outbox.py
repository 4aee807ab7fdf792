"""The outbox: one whole file per mail, however often it is handed over."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.lib.mail.provider_interface import Accepted, Deferred, Rejected
from newsletter.providers.outbox import Outbox
from tests.providers.pieces import SENDER, letter, parcel


def clock() -> Iterator[datetime]:
    moment = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    while True:
        yield moment
        moment += timedelta(seconds=1)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    moments = clock()
    return Outbox(tmp_path / "data" / "outbox", SENDER, clock=lambda: next(moments))


def test_writes_mail_that_only_we_can_read(outbox: Outbox, tmp_path: Path) -> None:
    directory = tmp_path / "data" / "outbox"
    outcomes = outbox.hand_over([parcel(1), parcel(2, of=letter(edition=2, subject="Another"))])
    assert outcomes == {
        1: Accepted("20261124T070000Z-opaque-0001.eml"),
        2: Accepted("20261124T070001Z-opaque-0002.eml"),
    }
    assert sorted(path.name for path in directory.iterdir()) == sorted(one.ref for one in outcomes.values())
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for path in directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "reader" not in path.name
    second = message_from_bytes((directory / "20261124T070001Z-opaque-0002.eml").read_bytes(), policy=policy.default)
    assert (second["To"], second["Subject"]) == ("reader2@example.org", "Another")


def test_twice_is_one_file(outbox: Outbox, tmp_path: Path) -> None:
    first = outbox.hand_over([parcel(1)])
    assert outbox.hand_over([parcel(1), parcel(2)])[1] == first[1]
    assert len(list((tmp_path / "data" / "outbox").iterdir())) == 2


def test_disk_that_refuses_is_proof(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcomes = Outbox(tmp_path / "file", SENDER).hand_over([parcel(1), parcel(2)])
    assert outcomes == dict.fromkeys((1, 2), Deferred("the outbox cannot be written: file exists"))


def test_full_disk_leaves_nothing_half_written(outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert outbox.hand_over([parcel(1)])[1] == Deferred("the outbox cannot be written: no space left on device")
    assert list((tmp_path / "data" / "outbox").iterdir()) == []
    assert isinstance(outbox.hand_over([parcel(1)])[1], Accepted)


def test_invalid_mail_or_name_is_refused(outbox: Outbox, tmp_path: Path) -> None:
    outcomes = outbox.hand_over(
        [replace(parcel(1), opaque="../../escaped"), parcel(2, address="a@example.org, b@example.org"), parcel(3)]
    )
    assert [type(one) for one in outcomes.values()] == [Rejected, Rejected, Accepted]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
