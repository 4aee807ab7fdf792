"""What differs between two wordings of a text, word by word, as it is shown to people."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: Words of paragraphs that differ, on either side, up to which single words are compared; more is shown as replaced.
COMPARED = 2_000
#: Words that are shown on either side of a change.
AROUND = 8
_WORDS = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class Change:
    """A part of a text. `kind`: same, inserted, deleted, or left out (words that are the same, in place of which `…` stands)."""

    kind: str
    text: str


def word_diff(before: str, after: str) -> tuple[Change, ...]:
    """The two wordings as one text with its changes; empty if there is none. Long parts that are the same are left out."""
    if before == after:
        return ()
    old, new = _paragraphs(before), _paragraphs(after)
    changes: list[Change] = []
    for kind, begin, end, new_begin, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            changes.append(Change("same", "".join(old[begin:end])))
        else:
            changes += _words("".join(old[begin:end]), "".join(new[new_begin:new_end]))
    return tuple(_shortened(_joined(changes)))


def _paragraphs(text: str) -> list[str]:
    return re.findall(r".+?(?:\n\s*\n|\Z)", text, re.DOTALL)


def _words(before: str, after: str) -> Iterator[Change]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > COMPARED:
        yield Change("deleted", before)
        yield Change("inserted", after)
        return
    for _, begin, end, new_begin, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        was, now = "".join(old[begin:end]), "".join(new[new_begin:new_end])
        if was == now:
            yield Change("same", was)
            continue
        yield Change("deleted", was)
        yield Change("inserted", now)


def _joined(changes: Sequence[Change]) -> list[Change]:
    joined: list[Change] = []
    for change in changes:
        if not change.text:
            continue
        if joined and joined[-1].kind == change.kind:
            joined[-1] = Change(change.kind, joined[-1].text + change.text)
        else:
            joined.append(change)
    return joined


def _shortened(changes: Sequence[Change]) -> Iterator[Change]:
    for place, change in enumerate(changes):
        words = _WORDS.findall(change.text)
        before, after = AROUND * (place > 0), AROUND * (place < len(changes) - 1)
        if change.kind != "same" or len(words) <= before + after + 4:
            yield change
            continue
        if before:
            yield Change("same", "".join(words[:before]))
        yield Change("left out", "… ")
        if after:
            yield Change("same", "".join(words[-after:]))
