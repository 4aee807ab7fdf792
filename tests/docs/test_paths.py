"""A file or folder that the docs name exists: in backticks or as the target of a link."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: A record that no longer holds, and the changelog, may speak of code that is gone.
SUPERSEDED = "\n- Status: superseded by "
PAGES = [
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if page.name != "CHANGELOG.md" and SUPERSEDED not in page.read_text()
]
#: Folders that a path may be relative to, besides the page's own.
BASES = (ROOT, ROOT / "newsletter")
#: What a running installation or an operator makes, not the repository.
MADE = ("data/", "secrets/", "build/", "dist/", ".venv")
_CODE = re.compile(r"(?<!`)`([^`\s]+)`(?!`)")
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\.?[\w.-]+(/[\w.-]+)*\.(py|md|toml|yaml|yml|sh|svg|j2|lock|txt|xml|json|css|lark)")
_FOLDER = re.compile(r"\.?[\w-]+(/[\w.-]+)*/")


def paths(text: str) -> list[str]:
    """Every path that `text` names. Placeholders in capitals (`packs/NAME.yaml`), addresses and fenced code are left out."""
    prose = _FENCE.sub("", text)
    named = [word.partition(":")[0] for word in _CODE.findall(prose)]
    found = [word for word in named if _FILE.fullmatch(word) or _FOLDER.fullmatch(word)]
    links = [target for target in _LINK.findall(prose) if ":" not in target]
    return [word for word in (*found, *links) if not word.startswith(MADE) and not re.search(r"\b(NAME|NNNN)", word)]


def exists(path: str, page: Path) -> bool:
    """Whether the repository has `path`, as `page` names it; a bare file name may stand in any folder."""
    return any((base / path).exists() for base in (page.parent, *BASES)) or path in _names()


@cache
def _names() -> frozenset[str]:
    folders = ("newsletter", "tests", "bench", "templates", "scripts")
    return frozenset(path.name for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_exist(page: Path) -> None:
    missing = [path for path in paths(page.read_text()) if not exists(path, page)]
    assert not missing, f"{page.relative_to(ROOT)} names what does not exist"


def test_paths_are_found_wherever_they_are_written() -> None:
    text = (
        "See `feeds/poll.py`, `feeds/gone.py:12` and [a page](../gone.md#part), `lib/`, `poll.py`.\n"
        "Not a path: `a/b`, `feeds poll`, `e.g.`, [x](https://digest.example/a.md), `packs/NAME.yaml`, `data/keys.txt`.\n"
        "```\nold/fenced.py\n`old/fenced.py`\n```\n"
    )
    assert paths(text) == ["feeds/poll.py", "feeds/gone.py", "lib/", "poll.py", "../gone.md"]


def test_a_path_that_is_gone_is_not_found() -> None:
    page = ROOT / "docs" / "journey.md"
    assert exists("wiring.py", page) and exists("newsletter/wiring.py", page) and exists("../README.md", page)
    assert not exists("feeds/no_such_file.py", page)
    assert not exists("no_such_file.py", page)
