"""What differs between two revisions of a topic: words of the query, packs and spellings."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from newsletter.matching.aliases.groups import contains_spelling
from newsletter.matching.topics.revisions import Revision

#: A word with the spaces after it, or a parenthesis: what a change of a query is shown in.
_PART: Final = re.compile(r"[()]\s*|[^\s()]+\s*|\s+")


@dataclass(frozen=True)
class DiffPart:
    """A part of a query. `change`: `same`, `added` or `removed`."""

    change: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class RevisionDiff:
    """What changed from one revision to another. `packs` are sentences such as `companies 1 → 2`."""

    query: tuple[DiffPart, ...]
    packs: tuple[str, ...]
    switched_off: tuple[str, ...]
    switched_on: tuple[str, ...]

    @property
    def query_changed(self) -> bool:
        """Whether the query is another one."""
        return any(part.change != "same" for part in self.query)

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.query_changed or self.packs or self.switched_off or self.switched_on)


def revision_diff(
    before: tuple[str, Mapping[str, int], Sequence[str]], after: tuple[str, Mapping[str, int], Sequence[str]]
) -> RevisionDiff:
    """What differs between two revisions, each as its query, its packs and the spellings that are off."""
    (old_query, old_packs, old_off), (new_query, new_packs, new_off) = before, after
    return RevisionDiff(
        query=query_diff(old_query, new_query),
        packs=tuple(_packs(old_packs, new_packs)),
        switched_off=tuple(word for word in new_off if not contains_spelling(old_off, word)),
        switched_on=tuple(word for word in old_off if not contains_spelling(new_off, word)),
    )


def between(before: Revision, after: Revision) -> RevisionDiff:
    """What differs between two lines of a history."""
    return revision_diff((before.query, before.packs, before.without), (after.query, after.packs, after.without))


def query_diff(before: str, after: str) -> tuple[DiffPart, ...]:
    """Both queries in one, word by word."""
    old, new = _PART.findall(before), _PART.findall(after)
    parts: list[DiffPart] = []
    # the last word has no space after it: compared without, written with
    matcher = difflib.SequenceMatcher(None, [part.strip() for part in old], [part.strip() for part in new], False)
    for change, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if change == "equal":
            parts.append(DiffPart("same", "".join(new[new_from:new_to])))
            continue
        if old_to > old_from:
            parts.append(DiffPart("removed", "".join(old[old_from:old_to])))
        if new_to > new_from:
            parts.append(DiffPart("added", "".join(new[new_from:new_to])))
    return tuple(parts)


def _packs(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    said = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            said.append(f"{name} {'–' if old is None else old} → {'–' if new is None else new}")
    return said
