"""Alias packs: the shipped ones are sound, and a broken one says where, which group and what to do."""

from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from newsletter.matching.aliases import groups as aliases_groups
from newsletter.matching.aliases import pack_files
from newsletter.matching.aliases.groups import OnlyWith
from newsletter.matching.aliases.pack_files import InvalidPack
from newsletter.matching.aliases.pack_validation import validate_pack
from newsletter.matching.query.compiled import alias_key

GOOD = """
version: 1
title: For tests
groups:
  - id: lake
    name: Lake
    spellings: [Lake, 湖]
    one-way: [LKE]
    only-with:
      - spelling: Mere
        words: [water]
    from: A dictionary
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waters.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InvalidPack) as error:
        pack_files.read_pack(written(tmp_path, text))
    return [str(one) for one in error.value.problems]


@pytest.mark.parametrize("path", sorted(settings.PACKS_DIR.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_packs_are_valid_and_can_be_stored(path: Path) -> None:
    pack = pack_files.read_pack(path)
    assert len(pack.groups) > 10
    assert pack_files.from_document(pack.name, pack_files.to_document(pack)) == pack.groups
    for group in pack.groups:
        assert aliases_groups.group_query(pack_files.find_group(f"{path.stem}:{group.id}", settings.PACKS_DIR))
        assert len(group.everything) > 1
        # a name in a script other than Latin is what the packs are for: no group may be English alone
        assert len({alias_key(one) for one in group.everything}) == len(group.everything)


def test_shipped_packs_contain_expected_spellings() -> None:
    for reference, spelling in (
        ("peoples:uyghur", "ئۇيغۇر"),
        ("companies:iflytek", "科大讯飞"),
        ("companies:china-mobile", "中国移动"),
        ("institutions:un", "ООН"),
        ("persons:mao-zedong", "Mao Tse-tung"),
    ):
        assert spelling in pack_files.find_group(reference, settings.PACKS_DIR).everything
    assert "XUAR" in pack_files.find_group("peoples:uyghur", settings.PACKS_DIR).one_way
    assert "iPhone" in pack_files.find_group("companies:apple", settings.PACKS_DIR).only_with[0].words


def test_pack_is_read(tmp_path: Path) -> None:
    (group,) = pack_files.read_pack(written(tmp_path, GOOD)).groups
    assert (group.pack, group.spellings, group.one_way) == ("waters", ("Lake", "湖"), ("LKE",))
    assert group.only_with == (OnlyWith("Mere", ("water",)),)
    assert group.everything == ("Lake", "湖", "Mere", "LKE")
    assert aliases_groups.group_query(group) == "Lake"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (GOOD, "[", "waters.yaml: it is not YAML near line"),
        (GOOD, "- x", "waters.yaml: it needs 'version', 'title' and 'groups'"),
        ("version: 1", "version: new", "waters.yaml: 'version' must be a whole number"),
        ("version: 1", "version: true", "waters.yaml: 'version' must be a whole number"),
        ("title: For tests", "titel: For tests", "waters.yaml: 'titel' is no field of it: did you mean 'title'?"),
        ("id: lake", "id: The Lake", "waters.yaml, group 1 (The Lake): 'id' must be lower-case"),
        ("from: A dictionary", "note: x", "waters.yaml, group 1 (lake): 'from' must say where"),
        ("[Lake, 湖]", "Lake", "waters.yaml, group 1 (lake): 'spellings' must be a list"),
        ("[Lake, 湖]", "[Lake, NO]", "holds False, which YAML reads as no word: put it between quotation marks"),
        ("[Lake, 湖]", "[Lake, '\"x\"']", "must not hold quotation marks"),
        ("[Lake, 湖]", "[Lake, '!']", "which is no word and no words"),
        ("[Lake, 湖]", "[Lake, LAKE]", "“LAKE” is the same to the matcher as “Lake”: keep one"),
        ("one-way: [LKE]", "one-way: [mere]", "“mere” is the same to the matcher as “Mere”: keep one"),
        ("words: [water]", "words: []", "each of 'only-with' needs 'words'"),
        (
            "words: [water]",
            "words: [water]\n        within: 9",
            "'within' is no field of it: there are spelling, words",
        ),
        ("spelling: Mere", "speling: Mere", "'speling' is no field of it: did you mean 'spelling'?"),
    ],
)
def test_invalid_pack_reports_where_and_what_to_do(tmp_path: Path, before: str, after: str, said: str) -> None:
    found = problems(tmp_path, GOOD.replace(before, after))
    assert any(said in one for one in found), found
    assert all(one.startswith("waters.yaml") for one in found)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    second = "  - id: lake\n    name: Other\n    spellings: [Lake]\n    from: A dictionary\n"
    assert problems(tmp_path, GOOD + second) == ["waters.yaml: two groups have the id lake: give each its own"]
    other = second.replace("id: lake", "id: other")
    (said,) = problems(tmp_path, GOOD + other)
    assert "“Lake” stands in lake and in other: make it 'one-way' in one of them" in said
    assert len(problems(tmp_path, GOOD.replace("version: 1", "version: 0").replace("id: lake", "id: L"))) == 2


SCALAR = st.sampled_from(["Lake", "湖", "lake", "x y", "", "!", 1, 0, None, True, 1.5, "id", '"'])
FIELDS = ["version", "title", "groups", "id", "name", "spellings", "one-way", "only-with", "from", "words", "spelling"]
ANYTHING = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=20,
)
GROUP = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[3:9], ANYTHING))


@given(ANYTHING, st.lists(GROUP, max_size=2))
def test_any_yaml_is_a_pack_or_has_problems(whole: object, groups: list[object]) -> None:
    for raw in (whole, {"version": 1, "title": "T", "groups": groups}):
        for problem in validate_pack("x.yaml", raw):
            assert str(problem).startswith("x.yaml")
            assert problem.advice


def test_unknown_group_error_lists_those_that_exist(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    for reference, said in (("rivers:x", "there are waters"), ("waters:x", "there are lake")):
        with pytest.raises(ValueError, match=said):
            pack_files.find_group(reference, tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"\xff")
    with pytest.raises(InvalidPack, match="UTF-8"):
        pack_files.read_pack(tmp_path / "latin.yaml")


def test_spelling_can_be_switched_off() -> None:
    group = pack_files.find_group("peoples:uyghur", settings.PACKS_DIR)
    (less,) = aliases_groups.without_spellings([group], ["uigur", "xuar"])
    assert set(group.everything) - set(less.everything) == {"Uigur", "XUAR"}
