"""Filter a feed's entries by author, category or language."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from newsletter.feeds.html.sanitize_text import single_line
from newsletter.feeds.parsing.model import ParsedEntry

#: The lists of a filter: the names in `Feed.only`.
LISTS = ("authors", "categories", "languages")
_BETWEEN_NAMES = re.compile(r"\s*(?:[,;/&|、，；]|\band\b)\s*", re.IGNORECASE)


def passes_filter(only: Mapping[str, Sequence[str]], entry: ParsedEntry) -> bool:
    """Return True if an entry matches each list of `only` that is not empty; within a list, one name is enough.

    Case, and white space around a name, make no difference. Each of several authors in one line counts. `zh` accepts `zh-TW`,
    not the other way round.
    """
    names = {entry.author, *_BETWEEN_NAMES.split(entry.author)}
    return (
        _matches(only.get("authors"), lambda wanted: wanted in _folded(names))
        and _matches(only.get("categories"), lambda wanted: wanted in _folded(entry.categories))
        and _matches(only.get("languages"), lambda wanted: f"{entry.lang.casefold()}-".startswith(f"{wanted}-"))
    )


def normalize_filter(only: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return `only` as it is stored: names on one line, each once, empty lists left out."""
    lists = {key: list(dict.fromkeys(filter(None, map(single_line, only.get(key, ()))))) for key in LISTS}
    return {key: names for key, names in lists.items() if names}


def describe_filter(only: Mapping[str, Sequence[str]]) -> str:
    """Describe `only` in words; empty if it accepts all entries."""
    return "; ".join(f"{key}: {', '.join(only[key])}" for key in LISTS if only.get(key))


def _matches(wanted: Sequence[str] | None, has: Callable[[str], bool]) -> bool:
    return not wanted or any(has(name.strip().casefold()) for name in wanted)


def _folded(names: Iterable[str]) -> set[str]:
    return {name.strip().casefold() for name in names}
