"""Forms of other search engines that mean nothing here: refused with a hint, or they would be words to look for."""

import re

from newsletter.matching.query.nodes import OPERATORS
from newsletter.matching.query.query_error import QueryError

_QUOTES = "to look for it as it stands, put it between quotation marks"
_NEAR = f'for words near each other write "both words"~5; {_QUOTES}'
_WILDCARD = f"only a * at the end of a word stands for other letters, as in uygh*; {_QUOTES}"
_OUR_OPERATORS = {"AND", "OR", "NOT"}
_FOREIGN = "|".join(sorted(OPERATORS - _OUR_OPERATORS))
#: Fields of other engines, when a space follows and they would be words.
_FIELDS = (
    "site|(?:all)?in(?:title|url|text|anchor)|filetype|ext|cache|related|subject|from|domain|host|body|content|url|date"
)

#: What a bare word may not look like, what to do. What stands after a backslash is neither symbol nor letter here.
_REFUSED = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (rf"(?:{_FOREIGN}|(?:NEAR|ADJ)\d+)$", f"this is an operator of other search engines: {_NEAR}"),
        (r"(?i)(?:w|n|p|pre|near|o?near|adj|within|nw)/(?:\d+|s|p|n|sent|para|seg)$|/", _NEAR),
        (r".*\w\?|\?.*\w", f"a ? stands for no letter: {_WILDCARD}"),
        (r".*\w!+$", f"a ! stands for no letters: {_WILDCARD}"),
        (r".*[a-z]\$$|.*[^\W\d]%$|.*\w\w#(?:\w|$)", f"$, % and # stand for no letters: {_WILDCARD}"),
        (r".*\w~", f"a ~ after a word means nothing; words that sound alike are not looked for; {_QUOTES}"),
        (r".*\^", f"no word can count for more than another: leave out the ^ and the number; {_QUOTES}"),
        (r"\+.*\w", f"every word must be met anyway: leave out the +; {_QUOTES}"),
        (r"[\[{<>].*\w|.*\d\.\.\.?\d", f"ranges and comparisons cannot be looked for; {_QUOTES}"),
        (rf"(?i)(?:{_FIELDS}):$", f"there is no such field; {_QUOTES}"),
    )
)
_BETWEEN_WORDS = re.compile(r"[NW]\d{1,2}$")
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_STAR_IN_QUOTES = re.compile(r"\w\*|\*\w")
_MARK_IN_QUOTES = re.compile(r"\w\?\w")
_DOUBLE_MINUS = re.compile(r"(?<![^\s(])(?:--+|-\s*NOT\s|NOT\s+-|NOT\s+NOT\s)(?=[^\s-])")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)


def refuse_foreign(query: str, word: str, column: int) -> None:
    """Check a bare word of a query, as it is typed.

    Raises:
        QueryError: it is an operator, a wildcard or the like of another search engine.
    """
    plain = _ESCAPE.sub("\0\0", word)
    for pattern, hint in _REFUSED:
        if pattern.match(plain):
            raise QueryError(hint, column)
    start = column - 1
    if _BETWEEN_WORDS.match(plain) and query[:start].strip(" (") and query[start + len(word) :].strip(" )"):
        raise QueryError(f"this is an operator of other search engines: {_NEAR}", column)


def refuse_in_quotes(inside: str, column: int) -> None:
    """Check what stands between quotation marks, as it is typed.

    Raises:
        QueryError: it has a wildcard.
    """
    plain = _ESCAPE.sub("\0\0", inside)
    if _STAR_IN_QUOTES.search(plain):
        raise QueryError(r"a * goes with a single word without quotation marks; for the sign itself write \*", column)
    if _MARK_IN_QUOTES.search(plain):
        raise QueryError(f"a ? stands for no letter: {_WILDCARD}", column)


def refuse_double_minus(query: str) -> None:
    """Check a whole query.

    Raises:
        QueryError: a word is left out twice, which would ask for it.
    """
    plain = _QUOTED.sub(lambda match: "x" * len(match[0]), query)
    if match := _DOUBLE_MINUS.search(plain):
        raise QueryError("to leave a word out write one minus before it", match.start() + 1)
