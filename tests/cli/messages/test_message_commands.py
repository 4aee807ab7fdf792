"""Commands that write, show, send and stop messages."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.models import Message
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
Command = Callable[..., tuple[int, str, str]]


def test_a_message_is_written_sent_and_stopped(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "move.md"
    file.write_text("We *move*.", encoding="utf-8")
    assert command("messages", "write", str(file), "--subject", "Move")[0] == 2
    assert command("messages", "write", str(file), "--subject", "Move", "--topic", "None")[0] == 1
    assert command("messages", "write", str(file), "--subject", "Move", "--everybody")[0] == 0
    number = str(Message.objects.get().id)
    code, _, err = command("messages", "send", number, "--yes")
    assert (code, "nobody would get it" in err) == (1, True)
    factories.subscriber()
    assert command("messages", "send", number)[0] == 2
    assert command("messages", "send", number, "--zone", "Moon", "--yes")[0] == 2
    code, out, _ = command("messages", "send", number, "--at", "2999-01-01 09:00", "--yes")
    assert code == 1
    code, out, _ = command("messages", "send", number, "--yes")
    assert (code, "mails 1 person" in out) == (0, True)
    assert "size: " in command("messages", "show", number)[1]
    assert json.loads(command("messages", "list", "--json")[1])[0]["state"] == "scheduled"
    assert "stopped before anything left" in command("messages", "stop", number)[1]
    assert command("messages", "stop", number)[0] == 1
