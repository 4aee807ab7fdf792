"""Commands that list, search and show items."""

import json
from collections.abc import Callable

import pytest

from newsletter.lib import db
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
Command = Callable[..., tuple[int, str, str]]


def test_items_are_searched_and_one_is_shown(command: Command) -> None:
    cable = factories.item("A cable", "Of Huawei.", seen=db.now())
    factories.item("A ship", "At sea.", seen=db.now())
    factories.match(cable, factories.topic("Huawei", query="Huawei"))
    factories.topic("Sanctions", query="Huawei sanctions")
    rows = json.loads(command("items", "list", "cable OR ship", "--matched", "--json")[1])["rows"]
    assert [row["item_id"] for row in rows] == [cable.id]
    code, _, err = command("items", "list", "--limit", "1")
    assert (code, f"--after {cable.id + 1}" in err) == (0, True)
    code, _, err = command("items", "list", "cable AND (")
    assert (code, "column" in err) == (1, True)
    code, out, _ = command("items", "show", str(cable.id))
    assert code == 0
    assert "matched Huawei, revision 1" in out and "nearly Sanctions: without sanctions" in out
    assert "Of Huawei." in out
    assert command("items", "show", "99999")[0] == 1
