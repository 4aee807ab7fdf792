"""A file of topics: what is written is read again, and what is wrong is told by its line."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.matching.topics.yaml_file import (
    NotATopicFile,
    TopicDescription,
    TopicFile,
    TopicFileProblem,
    read_topic_file,
    write_topic_file,
)

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(lambda one: one == one.strip())
NAMES = WORDS.map(lambda one: " ".join(one.split())).filter(bool)
TOPICS = st.builds(
    TopicDescription,
    name=NAMES,
    query=st.one_of(
        WORDS, st.sampled_from(["NO", "12", "2026-11-24", 'a OR "b c"', "title:Huawei -5G", "- a", "a: b"])
    ),
    packs=st.one_of(st.none(), st.lists(WORDS, max_size=3).map(tuple)),
    without=st.lists(WORDS, max_size=3).map(tuple),
    urgent=st.booleans(),
    held=st.booleans(),
)


@given(st.lists(TOPICS, max_size=4))
def test_written_topic_file_reads_back_equal(topics: list[TopicDescription]) -> None:
    found = read_topic_file(write_topic_file(topics).encode())
    assert isinstance(found, TopicFile) and not found.problems
    assert [replace(one, line=0) for one in found.topics] == topics


def test_minimal_topic_file_is_read() -> None:
    found = read_topic_file("\ufefftopics:\n  - {name: Cables, query: cable AND sea}\n".encode())
    assert found == TopicFile((TopicDescription("Cables", "cable AND sea", line=2),), ())


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("Uyghur", "needs 'name' and 'query'"),
        ("{name: One}", "'query' must be words"),
        ("{name: One, query: 12}", "'query' must be words: put them between quotation marks"),
        (
            "{name: One, query: one, pack: peoples}",
            "a topic has no field 'pack': its fields are name, query, description, packs",
        ),
        ("{name: One, query: one, packs: peoples}", "'packs' must be a list of words"),
        ("{name: One, query: one, without: [NO]}", "'without' must be a list of words"),
        ("{name: One, query: one, urgent: perhaps}", "'urgent' must be true or false"),
        ("{name: One, query: 2026-99-99}", "between quotation marks"),
        ("{name: One, query: &a [*a]}", "between quotation marks"),
        ("{name: One, query: !!python/object:os.system one}", "between quotation marks"),
    ],
)
def test_unreadable_topic_is_reported_by_line_and_others_are_read(entry: str, says: str) -> None:
    found = read_topic_file(f"topics:\n  - {entry}\n  - {{name: Two, query: two}}\n".encode())
    assert isinstance(found, TopicFile)
    assert [one.name for one in found.topics] == ["Two"]
    (problem,) = found.problems
    assert isinstance(problem, TopicFileProblem) and problem.line == 2
    assert says in problem.reason


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "'topics'"),
        (b"- name: One", "'topics'"),
        (b"topics: One", "'topics'"),
        (b"topics: []\nmore: []", "'topics'"),
        (b"topics:\n  - {name: One\n", "near line 3"),
        (b"\xff\xfe", "UTF-8"),
        (b"a\x00b", "not YAML"),
        (b"[" * 100_000, "not YAML"),
        (b"--- {}\n--- {}\n", "not YAML"),
    ],
)
def test_other_files_are_refused_with_one_line(data: bytes, says: str) -> None:
    found = read_topic_file(data)
    assert isinstance(found, NotATopicFile)
    assert says in found.reason and "\n" not in found.reason
