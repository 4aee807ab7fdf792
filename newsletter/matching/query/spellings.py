"""The spellings that a topic looks for, as people can read them."""

import re

_OR = re.compile(r"\s+OR\s+")
_SPELLING = re.compile(r"\"(?P<phrase>[^\"\\]+)\"|(?P<word>[^\s\"()\\~*:=|-][^\s\"()\\~*:|]*)")


def listed_spellings(query: str) -> tuple[str, ...]:
    """The words and phrases of a query that asks for any one of them, as typed; nothing for any other query.

    `Uyghur OR "Uyghur region"` gives both; `cable AND sea`, a field or an excluded word give nothing, for a list would say
    something else than the query does.
    """
    parts = [_SPELLING.fullmatch(part) for part in _OR.split(query.strip())]
    if not all(parts):
        return ()
    return tuple(dict.fromkeys(part["phrase"] or part["word"] for part in parts if part))
