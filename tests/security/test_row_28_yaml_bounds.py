"""Row 28: a small YAML file of topics or packs cannot grow large, and a key that stands twice is an error with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.lib import yaml_loader
from newsletter.lib.yaml_loader import YamlRefused
from newsletter.matching.aliases import pack_files
from newsletter.matching.aliases.pack_files import InvalidPack
from newsletter.matching.topics.yaml_file import NotATopicFile, TopicFile, read_topic_file
from tests.hang_guard import hang_guard

LAUGHS = "\n".join(["a0: &a0 [lol, lol]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))])
MERGES = "\n".join(
    ["a0: &a0 {k: lol}", *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 10))]
)
LONG_WORD = f"a: &a {'x' * 1_000}\nb: [{', '.join(['*a'] * 1_000)}]"
REFUSED = [
    pytest.param(LAUGHS, "repeat too much", 5, id="aliases of aliases"),
    pytest.param(MERGES, "repeat too much", 6, id="merge keys of merge keys"),
    pytest.param(LONG_WORD, "repeat too much", 2, id="a long word a thousand times"),
    pytest.param("a: 1\nb: {c: 1,\n    c: 2}", "'c' appears twice", 3, id="a key twice"),
    pytest.param("a: &a {<<: *a, k: 1}", "leads back to itself", 1, id="a mapping that merges itself"),
    pytest.param("a: 1\nb: &b [[*b]]", "leads back to itself", 2, id="a list in itself"),
    pytest.param("a: " + "1:" * 20_000 + "1", "a number is too long", 1, id="a number to the base of 60"),
    pytest.param("a: " + "9" * 5_000, "a number is too long", 1, id="a long number"),
    pytest.param("a: 2026-99-99", "cannot be read", 1, id="a date that is none"),
    pytest.param("a: " + "[" * 2_000, "nested too deep", 1, id="brackets"),
]


def as_pack(tmp_path: Path, text: str) -> str:
    path = tmp_path / "peoples.yaml"
    path.write_text(text)
    with pytest.raises(InvalidPack) as refused:
        pack_files.read_pack(path)
    return str(refused.value)


@pytest.mark.parametrize(("text", "says", "line"), REFUSED)
def test_a_pack_is_refused_with_what_and_where(tmp_path: Path, text: str, says: str, line: int) -> None:
    with hang_guard():
        told = as_pack(tmp_path, text)
    assert says in told and f"line {line}:" in told and "peoples.yaml" in told


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: f"{LAUGHS}\ntopics: []", "line 5: its aliases"),
        (lambda: f"{MERGES}\ntopics: []", "line 6: its aliases"),
        (lambda: "topics: []\ntopics: []", "line 2: 'topics' appears twice"),
    ],
)
def test_a_file_of_topics_is_refused_with_what_and_where(make: Callable[[], str], says: str) -> None:
    found = read_topic_file(make().encode())
    assert isinstance(found, NotATopicFile) and says in found.reason


@pytest.mark.parametrize(
    "entry",
    [
        "- name: One\n    query: one\n    query: two",
        "- {name: One, query: one,\n     query: two, urgent: true}",
        "- name: One\n    query: {a: 1,\n a: 2}",
    ],
)
def test_a_second_query_of_a_topic_is_told_by_its_line_and_stops_no_other(entry: str) -> None:
    found = read_topic_file(f"topics:\n  {entry}\n  - {{name: Two, query: two}}\n".encode())
    assert isinstance(found, TopicFile)
    assert [topic.name for topic in found.topics] == ["Two"]
    (problem,) = found.problems
    assert "appears twice" in problem.reason
    assert problem.line == 1 + next(n for n, text in enumerate(entry.split("\n"), 1) if "two" in text or "a: 2" in text)


def test_topics_on_one_line_do_not_answer_for_each_other() -> None:
    found = read_topic_file(b"topics: [{name: One, name: Two, query: x}, {name: Three, query: y}]")
    assert isinstance(found, TopicFile)
    assert ([one.name for one in found.topics], len(found.problems)) == (["Three"], 1)


def test_a_topic_with_an_endless_number_stops_no_other() -> None:
    found = read_topic_file(b"topics:\n  - {name: " + b"1:" * 20_000 + b"1, query: x}\n  - {name: Two, query: two}")
    assert isinstance(found, TopicFile) and [one.name for one in found.topics] == ["Two"]
    assert [(one.line, "too long" in one.reason) for one in found.problems] == [(2, True)]


def test_aliases_and_merge_keys_in_measure_are_read() -> None:
    text = "base: &base {urgent: true}\nmore: [&word cable, *word]\none: {<<: *base, name: One}"
    assert yaml_loader.load(text)["one"] == {"urgent": True, "name": "One"}
    assert yaml_loader.load(text)["more"] == ["cable", "cable"]
    assert yaml_loader.load("") is None
    with pytest.raises(YamlRefused):
        yaml_loader.load("a: 1\na: 1")
