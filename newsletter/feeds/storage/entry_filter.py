"""What a narrowed feed lets through: entries by certain authors, in certain categories or languages."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from newsletter.feeds.html.sanitize_text import single_line
from newsletter.feeds.parsing.model import ParsedEntry

#: What a feed can be narrowed by: the names in `Feed.only`.
BY = ("authors", "categories", "languages")
_BETWEEN_NAMES = re.compile(r"\s*(?:[,;/&|、，；]|\band\b)\s*", re.IGNORECASE)


def lets_through(only: Mapping[str, Sequence[str]], entry: ParsedEntry) -> bool:
    """True when an entry meets each list of `only` that is not empty; within a list, one is enough.

    A case, and white space around a name, make no difference. Of several authors in one line any one counts; `zh` lets `zh-TW`
    through, not the other way round.
    """
    names = {entry.author, *_BETWEEN_NAMES.split(entry.author)}
    return (
        _any(only.get("authors"), lambda wanted: wanted in _folded(names))
        and _any(only.get("categories"), lambda wanted: wanted in _folded(entry.categories))
        and _any(only.get("languages"), lambda wanted: f"{entry.lang.casefold()}-".startswith(f"{wanted}-"))
    )


def tidied(only: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """`only` as it is stored: names on one line, each once, empty lists left out."""
    lists = {by: list(dict.fromkeys(filter(None, map(single_line, only.get(by, ()))))) for by in BY}
    return {by: names for by, names in lists.items() if names}


def in_words(only: Mapping[str, Sequence[str]]) -> str:
    """`only` for people; empty when all entries are let through."""
    return "; ".join(f"{by}: {', '.join(only[by])}" for by in BY if only.get(by))


def _any(wanted: Sequence[str] | None, found: Callable[[str], bool]) -> bool:
    return not wanted or any(found(one.strip().casefold()) for one in wanted)


def _folded(names: Iterable[str]) -> set[str]:
    return {name.strip().casefold() for name in names}
