"""A Maildir: every new mail once, put away where mail programs look; links, pipes and directories lead nowhere."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.providers.bounces import maildir
from newsletter.providers.bounces.maildir import Flag


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def waiting(box: Path, **more: int) -> list[maildir.ReturnedMail]:
    return list(maildir.new_mails(box, **{"largest": 1000} | more))


def test_new_mails_come_by_name_and_are_put_away_with_their_flag(box: Path) -> None:
    for name in ("2", "1", "3:2,", ".hidden"):
        (box / "new" / name).write_bytes(name.encode())
    (box / "cur" / "0:2,S").write_bytes(b"old")
    (box / "tmp" / "4").write_bytes(b"half")
    found = waiting(box)
    assert [(mail.path.name, mail.raw) for mail in found] == [("1", b"1"), ("2", b"2"), ("3:2,", b"3:2,")]
    for mail, flag in zip(found, Flag, strict=True):
        assert maildir.file_away(mail, flag)
    assert sorted(path.name for path in (box / "cur").iterdir()) == ["0:2,S", "1:2,ST", "2:2,", "3:2,F"]
    assert waiting(box) == []
    assert not maildir.file_away(found[0], Flag.NEW)


def test_a_round_is_bounded_in_files_and_in_bytes(box: Path) -> None:
    for number in range(5):
        (box / "new" / str(number)).write_bytes(b"x" * 50)
    assert [len(mail.raw or b"") for mail in waiting(box, most=2, largest=10)] == [10, 10]


def test_nothing_is_followed_and_nothing_waits(box: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for you")
    (box / "new" / "link").symlink_to(secret)
    os.mkfifo(box / "new" / "pipe")
    (box / "new" / "folder").mkdir()
    found = waiting(box)
    assert [mail.raw for mail in found] == [None, None, None]
    for mail in found:
        maildir.file_away(mail, Flag.UNREADABLE)
    assert sorted(path.name for path in (box / "cur").iterdir()) == ["folder:2,F", "link:2,F", "pipe:2,F"]
    assert secret.read_text() == "not for you"


def test_only_understood_reports_are_deleted_after_a_week(box: Path) -> None:
    for name in ("1:2,ST", "2:2,S", "3:2,", "4:2,F"):
        (box / "cur" / name).write_bytes(b"x")
    now = datetime.now(UTC)
    assert maildir.delete_processed(box, now=now + timedelta(days=6)) == 0
    assert maildir.delete_processed(box, now=now + timedelta(days=8)) == 1
    assert sorted(path.name for path in (box / "cur").iterdir()) == ["2:2,S", "3:2,", "4:2,F"]


def test_a_maildir_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="new"):
        waiting(tmp_path)
