"""Commands for topics and packs as they answer: previews, questions, revisions, holds, noisy spellings, broken packs."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter import wiring
from newsletter.lib import db
from newsletter.matching import rematch
from newsletter.matching.topics import reader_feedback
from newsletter.models import Item, Match, Topic
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
Command = Callable[..., tuple[int, str, str]]


def stored(*titles: str) -> list[Item]:
    now = db.now()
    return [
        factories.item(title, "Text.", seen=now - timedelta(days=number + 1)) for number, title in enumerate(titles)
    ]


def test_an_edit_shows_what_it_does_and_can_be_taken_back(command: Command) -> None:
    stored("A cable", "A ship", "Another cable")
    assert command("topics", "add", "Sea", "--query", "cable")[0] == 0
    code, out, _ = command("topics", "preview", "Sea", "--query", "ship")
    assert code == 0
    assert "1 gained, 2 lost" in out
    assert "gained: " in out and "A ship  (“ship”)" in out
    assert "followed by fewer than 10" in out
    assert Topic.objects.get().revision_id == 1 or Topic.objects.count() == 1
    code, out, _ = command("topics", "edit", "Sea", "--query", "ship")
    assert (code, "1 gained, 2 lost" in out) == (0, True)
    code, _, err = command("topics", "edit", "Sea", "--query", "ship")
    assert (code, "no change" in err, err.count("\n")) == (1, True, 1)
    assert command("topics", "compare", "Sea", "1", "2")[1] == "query: [-cable] [+ship]\n"
    assert "no such revision" in command("topics", "compare", "Sea", "1", "9")[2]
    assert command("topics", "revert", "Sea", "1")[0] == 0
    history = json.loads(command("topics", "history", "Sea", "--json")[1])
    assert [(one["n"], one["query"], one["note"]) for one in history] == [
        (3, "cable", "as revision 1"),
        (2, "ship", ""),
        (1, "cable", ""),
    ]
    assert "as revision 1" in command("topics", "history", "Sea")[1]


def test_very_much_a_day_is_asked_about_and_scripts_must_say_yes(command: Command) -> None:
    now = db.now()
    for _ in range(31):
        factories.item("A cable", seen=now)
    code, out, err = command("topics", "add", "Sea", "--query", "cable")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "31 items a day" in err and "--yes" in err
    assert not Topic.objects.exists()
    assert command("topics", "add", "Sea", "--query", "cable", "--yes")[0] == 0
    code, _, err = command("topics", "edit", "Sea", "--query", "cable OR ship")
    assert (code, "--yes" in err) == (2, True)
    made = json.loads(command("topics", "edit", "Sea", "--query", "cable OR ship", "--yes", "--json")[1])
    assert made["revision"] == 2
    assert made["preview"]["after"]["per_day"] == 31


def test_spellings_can_be_switched_off_and_on(command: Command) -> None:
    stored("新疆的维吾尔人", "An Uyghur town")
    assert command("topics", "add", "Uyghur", "--pack", "peoples:uyghur")[0] == 0
    assert "2 items" in command("topics", "preview", "Uyghur")[1]
    code, _, err = command("topics", "edit", "Uyghur", "--without", "Uigurr")
    assert (code, "did you mean Uigur" in err) == (1, True)
    assert "0 gained, 1 lost" in command("topics", "edit", "Uyghur", "--without", "维吾尔")[1]
    assert "without 维吾尔" in command("topics", "show", "Uyghur")[1]
    assert "1 gained, 0 lost" in command("topics", "edit", "Uyghur", "--with", "维吾尔")[1]
    command("topics", "edit", "Uyghur", "--packs", "none")
    assert "packs: none" in command("topics", "show", "Uyghur")[1]
    command("topics", "edit", "Uyghur", "--packs", "all")
    assert "packs: companies 2, institutions 1, peoples 2, persons 1" in command("topics", "show", "Uyghur")[1]
    code, _, err = command("topics", "edit", "Uyghur", "--packs", "nonsense")
    assert (code, "there are companies" in err) == (1, True)


def test_a_name_of_several_words_is_hinted_at(command: Command) -> None:
    err = command("topics", "add", "Hong Kong", "--query", '"Hong Kong" OR Macau')[2]
    assert "hint: the packs have other spellings of Hong Kong; write Hong-Kong to match them too" in err
    assert "hint" not in command("topics", "edit", "Hong Kong", "--query", "Hong-Kong OR Macau")[2]


def test_match_and_explain_say_why(command: Command) -> None:
    one, two = stored("海康威视", "A cable")
    found = json.loads(command("match", "--query", "Hikvision", "--json")[1])
    assert [(hit["text"], hit["alias"], hit["pack"]) for hit in found[0]["hits"]] == [
        ("海康威视", "海康威视", "companies")
    ]
    assert json.loads(command("match", "--query", "Hikvision", "--no-packs", "--json")[1]) == []
    command("topics", "add", "Cameras", "--query", "Hikvision -cable")
    rematch.rematch(clock=db.now)
    out = command("explain", str(one.id), "cameras")[1]
    assert "matches Cameras, revision 1" in out
    assert "Hikvision: “海康威视”, by the other spelling 海康威视 (companies)" in out
    assert "will not be mailed" in out
    out = command("explain", str(two.id), "Cameras")[1]
    assert "does not match" in out and "Hikvision is not in it" in out and "no match" in out
    assert json.loads(command("explain", str(two.id), "Cameras", "--json")[1])["meets"] is False
    assert command("explain", "99999", "Cameras")[0] == 1


def test_hold_release_and_what_is_noisy(command: Command) -> None:
    stored("A Weiwuer name")
    command("topics", "add", "Uyghur", "--query", "Uyghur")
    rematch.rematch(clock=db.now)
    assert "is on hold" in command("topics", "hold", "Uyghur")[1]
    assert "revision 1, on hold)" in command("topics", "show", "Uyghur")[1]
    assert "is released" in command("topics", "release", "Uyghur", "--mail")[1]
    assert command("topics", "release", "Uyghur")[0] == 1
    match = Match.objects.get()
    for _ in range(3):
        reader_feedback.record_objection(
            reader_feedback.objection_token(match.item_id, match.topic_id, wiring.vault()),
            now=db.now(),
            vault=wiring.vault(),
        )
    out = command("topics", "show", "Uyghur")[1]
    assert "noisy: Weiwuer (peoples): 3 objections to 1 item" in out
    assert "A Weiwuer name" in out
    code, _, err = command("topics", "retire", "Uyghur")
    assert (code, "--yes" in err) == (2, True)


def test_packs_are_listed_and_checked(command: Command, settings, tmp_path) -> None:
    code, out, _ = command("topics", "packs")
    assert code == 0
    assert all(name in out for name in ("companies", "institutions", "peoples", "persons"))
    assert "维吾尔" in command("topics", "packs", "peoples")[1]
    assert json.loads(command("topics", "packs", "--json")[1])["problems"] == []
    settings.PACKS_DIR = tmp_path
    (tmp_path / "waters.yaml").write_text(
        "version: 1\ntitle: T\ngroups:\n  - {id: lake, name: Lake, spellings: [NO]}\n"
    )
    code, out, err = command("topics", "packs")
    assert (code, err.count("\n")) == (1, 1)
    assert "waters.yaml, group 1 (lake): 'from' must say where" in out
    assert "between quotation marks" in out
    broken = json.loads(command("topics", "packs", "--json")[1])
    assert len(broken["problems"]) == 2
    code, out, _ = command("doctor", "--quiet")
    assert code == 1
    assert "alias packs: waters.yaml, group 1" in out


def test_doctor_tells_of_topics(command: Command) -> None:
    command("topics", "add", "Never", "--query", "cable -cable", "--packs", "none")
    out = command("doctor")[1]
    assert "fail  topic Never: it can never match" in out


def test_a_description_is_set_shown_and_changed_without_a_revision(command: Command) -> None:
    code, out, _ = command("topics", "add", "Sea", "--query", "cable", "--description", "  Cables and ships ")
    assert code == 0 and "topic Sea (" in out
    assert "Cables and ships\n" in command("topics", "show", "Sea")[1]
    code, out, _ = command("topics", "edit", "Sea", "--description", "Seals")
    assert (code, "has a new description" in out) == (0, True)
    (listed,) = json.loads(command("topics", "list", "--json")[1])
    assert (listed["description"], listed["revision"]) == ("Seals", 1)
    assert command("topics", "edit", "Sea", "--query", "seal", "--description", "Seals only")[0] == 0
    assert (Topic.objects.get().description, len(json.loads(command("topics", "history", "Sea", "--json")[1]))) == (
        "Seals only",
        2,
    )
    for text, says in (("x" * 201, "200 is the most"), ("two\nlines", "write it on one")):
        code, out, err = command("topics", "edit", "Sea", "--description", text)
        assert (code, out) == (1, "") and says in err
        assert command("topics", "add", "New", "--query", "new", "--description", text)[0] == 1
    assert Topic.objects.count() == 1


def test_matches_restore_and_merge(command: Command) -> None:
    stored("A cable", "A ship")
    assert command("topics", "add", "Sea", "--query", "cable")[0] == 0
    assert command("topics", "add", "Ocean", "--query", "ship")[0] == 0
    now = db.now()
    while rematch.rematch(clock=lambda: now):
        pass
    command("topics", "list")  # takes what was logged
    rows = json.loads(command("topics", "matches", "Sea", "--json")[1])
    assert [(row["title"], row["words"], row["fate"]) for row in rows] == [("A cable", ["cable"], "not mailed")]
    assert "A cable" in command("topics", "matches", "Sea")[1]
    code, out, _ = command("topics", "merge", "Sea", "Ocean", "--yes")
    assert (code, "fewer than 10 followers moved" in out) == (0, True)
    assert Topic.objects.get(name="Sea").merged_into.name == "Ocean"
    assert "no retired topic" in command("topics", "restore", "Ocean")[2]
    assert command("topics", "restore", "Sea")[0] == 0
    assert Topic.objects.get(name="Sea").state == "active"
