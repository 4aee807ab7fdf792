"""Topics move out and in as a file: all of them, nothing of a reader's, each for itself."""

import io
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from newsletter import wiring
from newsletter.cli import invoke
from newsletter.lib import db
from newsletter.matching.topics import import_export, topic_status, topics
from newsletter.models import AliasPack, Topic
from newsletter.worker import startup
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
Command = Callable[..., tuple[int, str, str]]
CANARY = "Zzyzx"


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*words: str) -> tuple[int, str, str]:
        code = invoke(["topics", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "topics.yaml"


def put(file: Path, *entries: str) -> str:
    file.write_text("topics:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return str(file)


def test_an_export_makes_the_same_topics_in_an_empty_installation(command: Command, file: Path) -> None:
    startup.prepare()
    topics.keyword_topic(CANARY, vault=wiring.vault(), now=db.now())
    command(
        *("add", "Uyghur", "--query", 'Uyghur OR "East Turkestan" -football', "--without", "Uigur"),
        *("--description", "Uyghur life: language and culture"),
    )
    command("add", "Hong Kong", "--query", "title:Hong-Kong OR 香港", "--packs", "peoples,institutions")
    command("add", "NO", "--query", '"NO" OR "12"', "--packs", "none")
    command("add", "Gone", "--query", "gone")
    command("edit", "Uyghur", "--query", 'Uyghur OR "East Turkestan" -"football club"')
    command("urgent", "Uyghur")
    command("hold", "NO")
    command("retire", "Gone", "--yes")
    code, text, err = command("export")
    assert (code, err) == (0, "")
    assert CANARY not in text and CANARY.casefold() not in text.casefold()
    before = import_export.export_topics()
    assert [one.name for one in before] == ["Hong Kong", "NO", "Uyghur"]
    assert [one["name"] for one in yaml.safe_load(text)["topics"]] == ["Hong Kong", "NO", "Uyghur"]
    Topic.objects.all().delete()
    AliasPack.objects.all().delete()
    file.write_text(text, encoding="utf-8")
    code, out, err = command("import", str(file))
    assert (code, out, err) == (0, "3 topics added, 0 changed, 0 unchanged\n", "")
    assert import_export.export_topics() == before
    assert command("export")[1] == text
    assert [one.description for one in before] == [None, None, "Uyghur life: language and culture"]
    assert [one.urgent for one in before] == [False, False, True] and [one.held for one in before][1]
    assert "0 topics added, 0 changed, 3 unchanged" in command("import", str(file))[1]
    assert Topic.objects.count() == 3


def test_no_word_of_a_reader_is_exported_in_any_form(command: Command, file: Path) -> None:
    startup.prepare()
    topics.keyword_topic(CANARY, vault=wiring.vault(), now=db.now())
    for words in (("export",), ("export", "--json"), ("export", str(file))):
        code, out, err = command(*words)
        assert code == 0
        assert CANARY.casefold() not in (out + err).casefold()
    assert yaml.safe_load(file.read_text()) == {"topics": []}


def test_what_is_there_and_differs_is_shown_and_changed_only_when_told(command: Command, file: Path) -> None:
    now = db.now()
    for title in ("A cable", "A ship"):
        factories.item(title, "Text.", seen=now - timedelta(days=1))
    command("add", "Sea", "--query", "cable")
    command("add", "Land", "--query", "road", "--packs", "none")
    name = put(file, "{name: sea, query: ship, urgent: true}", "{name: Land, query: road, packs: []}")
    code, out, err = command("import", name)
    assert (code, out) == (0, "0 topics added, 0 changed, 1 unchanged, 1 different, left as they are\n")
    assert err == f"{name}, line 2: sea exists and differs (1 item gained, 1 lost): --yes changes it\n"
    assert [one.query for one in topic_status.list_topics(small_number=10)] == ["road", "cable"]
    told = json.loads(command("import", name, "--json")[1])
    assert told["different"] == [{"line": 2, "name": "sea", "gained": 1, "lost": 1}]
    assert "0 topics added, 1 changed, 1 unchanged" in command("import", name, "--yes")[1]
    sea = Topic.objects.get(name="Sea")
    assert (
        topic_status.list_topics(small_number=10)[1].query,
        topic_status.list_topics(small_number=10)[1].revision,
        sea.urgent,
    ) == (
        "ship",
        2,
        True,
    )
    put(file, "{name: Sea, query: ship, without: [Uigur]}")
    assert "1 changed" in command("import", name, "--yes")[1]
    assert (topic_status.list_topics(small_number=10)[1].without, Topic.objects.get(name="Sea").urgent) == (
        ("Uigur",),
        False,
    )
    put(file, "{name: Sea, query: ship}")
    command("import", name, "--yes")
    assert topic_status.list_topics(small_number=10)[1].without == ()


def test_a_bad_topic_is_told_by_its_line_and_the_others_are_added(command: Command, file: Path) -> None:
    now = db.now()
    for _ in range(31):
        factories.item("A cable", seen=now)
    command("add", "Old", "--query", "old")
    command("retire", "Old", "--yes")
    name = put(
        file,
        "{name: One, query: one}",
        "{name: Two, query: 'two AND ('}",
        "{name: Three, query: three, packs: [nonsense]}",
        "{name: Four, query: four, without: [Uigurr]}",
        "{name: ONE, query: other}",
        "{name: Cable, query: cable}",
        "{name: '?', query: six}",
        "{name: Old, query: old}",
        "{name: Seven, query: 7}",
        "{name: Eight, query: eight}",
    )
    code, out, err = command("import", name)
    assert (code, out) == (1, "2 topics added, 0 changed, 0 unchanged, 8 problems\n"), "a script must notice"
    *lines, last = err.splitlines()
    assert last == f"newsletter: {name}: 8 topics could not be added or changed: see above"
    said = dict(line.removeprefix(f"{name}, line ").split(": ", 1) for line in lines)
    assert list(said) == ["3", "4", "5", "6", "7", "8", "9", "10"]
    assert "column" in said["3"] and "there are companies" in said["4"] and "did you mean Uigur" in said["5"]
    assert said["6"] == "the topic stands on line 2 already"
    assert said["7"].startswith("it would bring 31 items a day") and "letter" in said["8"]
    assert "a topic of that name exists" in said["9"] and "quotation marks" in said["10"]
    assert {one.name for one in topic_status.list_topics(small_number=10) if one.state == "active"} == {"One", "Eight"}
    put(file, "{name: Cable, query: cable}")
    assert command("import", name, "--yes")[0] == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "'topics'"), ("topics: [", "near line"), ("topics:\n  - {name: One, query: '('}\n", "1 topic could not be")],
)
def test_a_file_of_which_nothing_comes_fails(
    command: Command, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, _, err = command("import", "-")
    assert code == 1
    assert says in err.splitlines()[-1]


def test_a_file_that_cannot_be_opened_or_is_too_large_is_told(command: Command, file: Path, monkeypatch) -> None:
    assert command("import", "/nowhere/topics.yaml")[2].startswith("newsletter: /nowhere/topics.yaml cannot be read")
    assert "cannot be written" in command("export", "/nowhere/topics.yaml")[2]
    monkeypatch.setattr(import_export, "MAX_BYTES", 10)
    assert "split it into smaller files" in command("import", put(file, "{name: One, query: one}"))[2]


def test_a_file_changes_a_description_and_keeps_one_that_it_leaves_out(command: Command, file: Path) -> None:
    startup.prepare()
    command("add", "Sea", "--query", "cable", "--description", "Cables and ships")
    assert "1 unchanged" in command("import", put(file, "{name: Sea, query: cable}"), "--yes")[1]
    assert Topic.objects.get().description == "Cables and ships"
    name = put(file, "{name: Sea, query: cable, description: Seals too}")
    assert "1 different" in command("import", name)[1]
    assert "1 changed" in command("import", name, "--yes")[1]
    assert Topic.objects.get().description == "Seals too"
    bad = put(file, f"{{name: Sea, query: cable, description: {'x' * 201}}}", "{name: B, query: b, description: [x]}")
    code, _, err = command("import", bad)
    assert code == 1 and "200 is the most" in err and "'description' must be words" in err
