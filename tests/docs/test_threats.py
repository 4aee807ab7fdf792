"""The table in docs/threats.md: every row once, every test listed, every path there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Rows of the table, and the rows without anything to attack.
ROWS = 56
NOT_YET = "not yet: no such surface"


def table() -> dict[int, list[str]]:
    """The cells of each row by its number."""
    lines = re.findall(r"^\| (\d+) \| (.+) \|$", (ROOT / "docs/threats.md").read_text(), re.MULTILINE)
    found = {int(number): [cell.strip() for cell in rest.split(" | ")] for number, rest in lines}
    assert len(found) == len(lines), "a number stands twice"
    return found


def named(text: str) -> list[str]:
    """What stands between backticks and looks like a path."""
    return [word for word in re.findall(r"`([^`]+)`", text) if "/" in word or word.endswith((".py", ".lock"))]


def test_every_row_has_a_defence_and_a_test_or_nothing_to_attack() -> None:
    rows = table()
    assert sorted(rows) == list(range(1, ROWS + 1))
    for number, (attack, defence, *tests) in rows.items():
        paths = named("".join(tests))
        assert attack, number
        assert bool(named(defence) and paths) != defence.startswith(NOT_YET), number


def test_every_path_exists() -> None:
    for number, (_, defence, *tests) in table().items():
        for path in named(defence):
            assert (ROOT / path).exists() or (ROOT / "newsletter" / path).exists(), (number, path)
        for path in named("".join(tests)):
            assert (ROOT / path).is_file(), (number, path)


def test_every_test_of_a_row_is_listed_in_it() -> None:
    rows = table()
    for path in (ROOT / "tests/security").glob("test_row_*.py"):
        number = int(path.name.split("_")[2])
        assert f"`tests/security/{path.name}`" in rows[number][-1], path.name


def test_every_test_in_the_folder_is_of_a_row() -> None:
    assert not [
        path.name for path in (ROOT / "tests/security").glob("test_*.py") if not path.name.startswith("test_row_")
    ]
