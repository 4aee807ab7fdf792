"""Commands that publish, correct and withdraw an item."""

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.models import AuditEntry, HandItem, Item, ItemVersion

pytestmark = pytest.mark.django_db(transaction=True)
Command = Callable[..., tuple[int, str, str]]


def test_a_file_is_published_corrected_and_withdrawn(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "hearing.md"
    file.write_text("# A hearing\n\nThe *witnesses* spoke.\n", encoding="utf-8")
    code, out, _ = command(
        "items", "publish", str(file), "--publisher", "The Paper", "--link", "https://paper.example/"
    )
    assert code == 0
    item = Item.objects.get()
    assert f"item {item.id} is published: A hearing" in out
    assert HandItem.objects.get().publisher == "The Paper"
    assert AuditEntry.objects.get().actor_kind == "command"

    file.write_text("The witnesses left.", encoding="utf-8")
    assert "version 2 now: A hearing" in command("items", "correct", str(item.id), str(file))[1]
    assert ItemVersion.objects.get(n=2).text.strip() == "The witnesses left."
    assert HandItem.objects.get().publisher == "The Paper"
    assert "nobody is mailed it" in command("items", "withdraw", str(item.id))[1]
    code, _, err = command("items", "withdraw", str(item.id))
    assert (code, "withdrawn: publish it as a new item" in err) == (1, True)


def test_what_is_wrong_is_said_in_one_line(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "text.md"
    file.write_text("No heading.", encoding="utf-8")
    code, _, err = command("items", "publish", str(file))
    assert (code, "write a title" in err, err.count("\n")) == (1, True, 1)
    file.write_bytes(b"\xff\xfe")
    assert command("items", "publish", str(file))[0] == 2
    assert command("items", "correct", "999", str(file))[0] == 1
