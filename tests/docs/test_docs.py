"""Docs say what is true: settings, links, commands, numbers of decisions."""

import re
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest
import typer

from newsletter.cli import app
from scripts import wrap_docs, write_docs

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("page", write_docs.PARTS)
def test_what_the_docs_take_from_elsewhere_is_up_to_date(page: str) -> None:
    assert (write_docs.DOCS / page).read_text() == write_docs.written(page), "run make docs"


def test_the_readme_has_ten_settings_as_they_are() -> None:
    row = re.compile(r"^\| `NEWSLETTER_.*\|$", re.MULTILINE)
    few = row.findall((ROOT / "README.md").read_text())
    assert len(few) == 10
    assert set(few) <= set(row.findall(write_docs.settings()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_headings(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
        headings = re.findall(r"^#+ (.+)$", (page.parent / target if target else page).read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^\w\- ]", "", line).lower().replace(" ", "-") for line in headings}, heading


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    root = typer.main.get_command(app)
    for words in re.findall(
        r"(?:\./run\.sh|`newsletter|'newsletter) ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", page.read_text()
    ):
        name, _, second = words.partition(" ")
        assert name in root.commands, words  # type: ignore[attr-defined]
        group = root.commands[name]  # type: ignore[attr-defined]
        if second and hasattr(group, "commands"):
            assert second in group.commands, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_exist(page: Path) -> None:
    """Those that stand in one code span or line with their command, or with the last words of its name."""
    text, commands = page.read_text(), _commands()
    lines = re.findall(r"^(?:\./run\.sh|newsletter) ([^#\n]+)", text, re.MULTILINE)
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for words in ([word for word in typed.split() if word != "newsletter"] for typed in (*lines, *spans)):
        known = commands.get(" ".join(words[:2]), commands.get(words[0] if words else ""))
        if known is not None:
            assert {word for word in words if re.fullmatch(r"--[a-z-]+", word)} <= known, words


@cache
def _commands() -> dict[str, set[str]]:
    """The options of each command, by its name with and without that of its group; one word may name several commands."""
    options: dict[str, set[str]] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for second, leaf in {**getattr(command, "commands", {"": command})}.items():
            known = {option for param in leaf.params for option in (*param.opts, *param.secondary_opts)} | {"--help"}
            options[f"{name} {second}".strip()] = known
            options[second] = options.get(second, set()) | known
    return options


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    named = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for words in re.findall(
        r"(?:`|^)(?:[A-Z_]+=\S+ )*make ((?:[a-z][a-z-]*(?: |`|$))+)", page.read_text(), re.MULTILINE
    ):
        assert set(words.strip("` ").split()) <= {*named}, words


def test_the_makefile_says_what_each_target_does() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))
    assert targets == set(re.findall(r"^([a-z][a-z-]*):.* ## \S", text, re.MULTILINE))
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    assert phony is not None
    assert targets == set(phony[1].replace("\\", " ").split())


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 6


def test_pictures_are_well_formed() -> None:
    for path in (ROOT / "docs").rglob("*.svg"):
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg", path  # noqa: S314 - our own file


def test_every_page_is_in_the_index() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    linked = set(re.findall(r"\]\(([a-z-]+\.md)\)", (ROOT / "docs/README.md").read_text()))
    assert pages <= linked


def test_the_glossary_explains_each_term_once() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    terms = [term for row in rows if row not in ("term", "---") for term in row.split(", ")]
    assert len(terms) > 50
    assert len(terms) == len({term.casefold() for term in terms})


def test_the_readme_links_every_page() -> None:
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    pages |= {path.name for path in ROOT.glob("*.md")} - {"README.md"} | {"docs/decisions/README.md"}
    linked = set(re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text()))
    assert pages <= linked


@pytest.mark.parametrize("page", wrap_docs.pages(), ids=lambda page: page.name)
def test_prose_is_wrapped(page: Path) -> None:
    assert wrap_docs.wrap(page.read_text()) == page.read_text(), "run make docs"


def test_only_prose_is_wrapped() -> None:
    long, short = "word " * 30, "words " * 4
    kept = f"# {long}\n\n| {long} |\n\n```\n{long}\n```\n\n{short}\n{short}\n"
    assert wrap_docs.wrap(kept) == kept
    assert wrap_docs.wrap(f"- one\n- {long}`a b`") == "- one\n- " + "word " * 18 + "word\n  " + "word " * 11 + "`a b`"


def test_the_changelog_is_grouped_by_reader() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        kind, *readers = re.split(r"^#### For ", part, flags=re.MULTILINE)
        assert kind.strip() in ("Added", "Changed", "Fixed"), kind
        assert all(reader.split()[0] in ("subscribers", "admins", "ops", "contributors") for reader in readers)
    assert "\n- **" not in text
