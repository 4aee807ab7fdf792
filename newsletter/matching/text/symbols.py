"""Words with symbols in (`AT&T`, `.NET`, `#MeToo`): which of the symbols say something, and whether they stand so in a text."""

from collections.abc import Sequence

import regex

from newsletter.matching.text.scripts import INSIDE

#: Before and after a word these are punctuation.
_BEFORE = "\t\n\"'(),:;!?\u00bf\u00a1\u00ab\u00bb\u2039\u203a-*[]{}`"
_AFTER = "\t\n\"'().,:;!?\u00ab\u00bb\u2039\u203a-*[]{}`"
_INSIDE = regex.compile(rf"(?V1){INSIDE}")


def significant_symbols(around: Sequence[str]) -> tuple[str, ...]:
    """What is typed before, between and after words (`Reading.around`), without what makes no difference; empty when nothing
    is left. Between words, spaces and hyphens make none, nor does any sign beside a space.
    """
    before, *between, after = around
    before = before[before.rfind(" ") + 1 :].lstrip(_BEFORE)
    after = after.partition(" ")[0].rstrip(_AFTER)
    kept = ("" if before == "." * max(len(before), 2) else before, *map(_between, between), after)
    return kept if any(kept) else ()


def _between(typed: str) -> str:
    return "" if typed == "-" or any(map(str.isspace, typed)) else typed


def has_symbols(around: Sequence[str], symbols: Sequence[str]) -> bool:
    """Whether these symbols stand before, between and after words of a text, and are not parts of longer ones."""
    before, *between, after = symbols
    if before and not _ends_with(around[0], before):
        return False
    if after and not _ends_with(around[-1][::-1], after[::-1]):
        return False
    return all(not wanted or wanted == there for wanted, there in zip(between, around[1:-1], strict=True))


def _ends_with(there: str, symbols: str) -> bool:
    more = there[: -len(symbols)][-1:]
    return there.endswith(symbols) and more != symbols[0] and not _INSIDE.match(more)
