"""Validate an alias pack as read from YAML, and report every problem: where it is, and what to do."""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.matching.aliases.groups import spelling_to_term
from newsletter.matching.query import parser
from newsletter.matching.query.compiled import alias_key
from newsletter.matching.query.nodes import BareWord, Phrase
from newsletter.matching.query.query_error import QueryError

_PACK = ("version", "title", "groups")
_GROUP = ("id", "name", "spellings", "one-way", "only-with", "from")
_ONLY_WITH = ("spelling", "words")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MARKS = '"“”'


@dataclass(frozen=True)
class PackProblem:
    """What is wrong with a pack, where, and what to do."""

    where: str
    advice: str

    def __str__(self) -> str:
        return f"{self.where}: {self.advice}"


def validate_pack(file: str, raw: Any) -> Iterator[PackProblem]:
    """Everything that is wrong with a pack as read from YAML; nothing if it can be used."""
    if not isinstance(raw, dict):
        yield PackProblem(file, "it needs 'version', 'title' and 'groups'")
        return
    yield from _unknown(file, raw, _PACK)
    version = raw.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        yield PackProblem(file, "'version' must be a whole number from 1, raised with every change")
    if not _is_words(raw.get("title")):
        yield PackProblem(file, "'title' must be a line of words")
    groups = raw.get("groups")
    if not isinstance(groups, list) or not groups:
        yield PackProblem(file, "'groups' must be a list with at least one group")
        return
    for number, group in enumerate(groups, 1):
        yield from _in_group(_where(file, number, group), group)
    yield from _duplicates(file, [group for group in groups if isinstance(group, dict)])


def _where(file: str, number: int, group: Any) -> str:
    name = group.get("id") if isinstance(group, dict) else None
    return f"{file}, group {number}" + (f" ({name})" if isinstance(name, str) else "")


def _in_group(where: str, group: Any) -> Iterator[PackProblem]:
    if not isinstance(group, dict):
        yield PackProblem(where, "it needs 'id', 'name', 'spellings' and 'from'")
        return
    yield from _unknown(where, group, _GROUP)
    if not (isinstance(group.get("id"), str) and _ID.fullmatch(group["id"])):
        yield PackProblem(where, "'id' must be lower-case letters, digits and hyphens, e.g. hong-kong")
    if not _is_words(group.get("name")):
        yield PackProblem(where, "'name' must be the name in words")
    if not _is_words(group.get("from")):
        yield PackProblem(where, "'from' must say where the spellings were taken from")
    if not group.get("spellings"):
        yield PackProblem(where, "'spellings' must list at least one spelling")
    for field in ("spellings", "one-way"):
        yield from _in_list(where, field, group.get(field, []))
    only_with = group.get("only-with", [])
    if not isinstance(only_with, list):
        yield PackProblem(where, "'only-with' must be a list of 'spelling' with 'words'")
        return
    for entry in only_with:
        yield from _in_only_with(where, entry)
    yield from _repeated(where, group)


def _in_only_with(where: str, entry: Any) -> Iterator[PackProblem]:
    if not isinstance(entry, dict):
        yield PackProblem(where, "each of 'only-with' needs a 'spelling' and its 'words'")
        return
    yield from _unknown(where, entry, _ONLY_WITH)
    yield from _in_list(where, "spelling", [entry.get("spelling")])
    if not entry.get("words"):
        yield PackProblem(where, "each of 'only-with' needs 'words', of which one must stand in the same item")
    yield from _in_list(where, "words", entry.get("words") or [])


def _in_list(where: str, field: str, values: Any) -> Iterator[PackProblem]:
    if not isinstance(values, list):
        yield PackProblem(where, f"'{field}' must be a list: [One, Other]")
        return
    for value in values:
        if not isinstance(value, str):
            yield PackProblem(
                where, f"'{field}' holds {value!r}, which YAML reads as no word: put it between quotation marks"
            )
        elif any(mark in value for mark in _MARKS):
            yield PackProblem(where, f"'{field}' holds {value!r}: a spelling must not hold quotation marks")
        elif not _is_term(value):
            yield PackProblem(where, f"'{field}' holds {value!r}, which is no word and no words: see docs/queries.md")


def _is_term(spelling: str) -> bool:
    try:
        return isinstance(parser.read_query(spelling_to_term(spelling)), BareWord | Phrase)
    except QueryError:
        return False


def _repeated(where: str, group: Mapping[str, Any]) -> Iterator[PackProblem]:
    seen: dict[str, str] = {}
    for spelling in _spellings(group):
        known = seen.setdefault(alias_key(spelling), spelling)
        if known is not spelling:
            yield PackProblem(where, f"“{spelling}” is the same to the matcher as “{known}”: keep one")


def _duplicates(file: str, groups: Sequence[Mapping[str, Any]]) -> Iterator[PackProblem]:
    """Two groups with the same id, or with the same spelling to find the others by."""
    ids: dict[str, int] = defaultdict(int)
    owner: dict[str, object] = {}
    for group in groups:
        name = str(group.get("id"))
        ids[name] += 1
        if ids[name] == 2:
            yield PackProblem(file, f"two groups have the id {name}: give each its own")
        for spelling in _spellings(group, both_ways=True):
            other = owner.setdefault(alias_key(spelling), name)
            if other != name:
                reason = f"“{spelling}” stands in {other} and in {name}: make it 'one-way' in one of them"
                yield PackProblem(file, reason)


def _spellings(group: Mapping[str, Any], *, both_ways: bool = False) -> Iterator[str]:
    only_with = [entry.get("spelling") for entry in _listed(group.get("only-with")) if isinstance(entry, dict)]
    one_way = [] if both_ways else _listed(group.get("one-way"))
    for spelling in (*_listed(group.get("spellings")), *only_with, *one_way):
        if isinstance(spelling, str) and alias_key(spelling):
            yield spelling


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _unknown(where: str, entry: Mapping[Any, Any], known: Sequence[str]) -> Iterator[PackProblem]:
    for key in entry:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            advice = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            yield PackProblem(where, f"'{key}' is no field of it: {advice}")


def _is_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\n" not in value
