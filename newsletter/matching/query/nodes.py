"""What a query is once it was read: terms, joined by AND, OR and NOT; and its one normal way of being written."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar, Union

from newsletter.matching.text.scripts import is_unspaced

#: What a tree hangs full of: terms as they were read, or as they are sought.
L = TypeVar("L")
M = TypeVar("M")

#: Fields of an item besides its text. `lang` and `feed` only narrow: a query of nothing else would match everything.
FIELDS = ("title", "source", "author", "category", "lang", "feed")
NARROWING = frozenset({"lang", "feed"})
#: What is read as an operator, ours or another search engine's, unless a backslash or quotation marks say that it is a word.
OPERATORS = frozenset(["AND", "OR", "NOT", "NEAR", "ONEAR", "ADJ", "XOR", "ANDNOT", "SAME", "WITH", "WITHIN", "AROUND"])
#: Symbols that have a meaning in a bare word, or may have; and before one.
_MEANING = frozenset('"\\()|*?~^:!$%#')
_MEANING_FIRST = (_MEANING - set("$%#")) | set("-=+/[{<>")
#: What stands before the / of other engines' nearness: `w/5`.
_NEARNESS = ("w", "n", "p", "pre", "near", "onear", "adj", "within", "nw")


@dataclass(frozen=True, slots=True)
class BareWord:
    """A bare word: it meets its inflected forms and its aliases. Several keys: parts that stand side by side."""

    keys: tuple[str, ...] = field(repr=False)
    #: Typed with hyphens between its parts: also met when it is written as one.
    hyphenated: bool = False
    #: Up to four letters, all capitals: the word in small letters is another word.
    capitals: bool = False
    #: Typed with a capital: only inflected forms that names have.
    name: bool = False
    #: What must stand before, between and after its keys, if it was typed with symbols; then it has no inflected forms.
    symbols: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words between quotation marks, side by side and as written."""

    keys: tuple[str, ...] = field(repr=False)
    capitals: bool = False
    symbols: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Prefix:
    """`uygh*`: the last key is only how a word begins."""

    keys: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exact:
    """`=Huawei`: this spelling and case only."""

    keys: tuple[str, ...] = field(repr=False)
    spelled: tuple[str, ...] = field(repr=False)
    symbols: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class AccentInsensitive:
    """`~cafe`: as written, but with or without accents. The keys have none."""

    keys: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Near:
    """`"huawei cable"~10`: all parts in one paragraph, in any order, with at most `distance` other words among them."""

    parts: tuple[tuple[str, ...], ...] = field(repr=False)
    distance: int


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """A term that must stand in this field of the item."""

    name: str
    term: "BareWord | Phrase | Prefix | Exact | AccentInsensitive | Near"


@dataclass(frozen=True, slots=True)
class And(Generic[L]):
    """All parts."""

    parts: "tuple[Tree[L], ...]"


@dataclass(frozen=True, slots=True)
class Or(Generic[L]):
    """At least one part."""

    parts: "tuple[Tree[L], ...]"


@dataclass(frozen=True, slots=True)
class Not(Generic[L]):
    """Not this part. Never alone: a query says what it looks for."""

    part: "Tree[L]"


Plain = BareWord | Phrase | Prefix | Exact | AccentInsensitive | Near
Term = Plain | FieldTerm
Tree = Union[And[L], Or[L], Not[L], L]  # noqa: UP007 - a type variable has no |
#: A query as it was read.
Query = Tree[Term]


def positive(query: Tree[L]) -> Iterator[L]:
    """The terms whose presence a query asks for."""
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from positive(part)
        case Not():
            return
        case _:
            yield query


def terms(query: Tree[L]) -> Iterator[L]:
    """All terms, also those under NOT."""
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from terms(part)
        case Not(part):
            yield from terms(part)
        case _:
            yield query


def map_terms(query: Tree[L], change: Callable[[L], M]) -> Tree[M]:
    """The same tree with every term changed."""
    match query:
        case And(parts):
            return And(tuple(map_terms(part, change) for part in parts))
        case Or(parts):
            return Or(tuple(map_terms(part, change) for part in parts))
        case Not(part):
            return Not(map_terms(part, change))
        case _:
            return change(query)


def evaluate(query: Tree[L], met: Callable[[L], bool]) -> bool:
    """Whether an item meets a query, if `met` says which terms it meets.

    It runs for every candidate: isinstance(), match and all() would take several times as long.
    """
    kind = query.__class__
    if kind is Not:
        return not evaluate(query.part, met)  # type: ignore[union-attr]
    if kind is And:
        for part in query.parts:  # type: ignore[union-attr]  # noqa: SIM110
            if not evaluate(part, met):
                return False
        return True
    if kind is Or:
        for part in query.parts:  # type: ignore[union-attr]  # noqa: SIM110
            if evaluate(part, met):
                return True
        return False
    return met(query)  # type: ignore[arg-type]


def depth(query: Tree[L]) -> int:
    """How deep AND, OR and NOT are nested; 0 for a term."""
    match query:
        case And(parts) | Or(parts):
            return 1 + max(depth(part) for part in parts)
        case Not(part):
            return 1 + depth(part)
        case _:
            return 0


def requires_a_term(query: Query) -> bool:
    """Whether nothing can meet the query without one of its positive terms that do more than narrow."""
    match query:
        case And(parts):
            return any(requires_a_term(part) for part in parts)
        case Or(parts):
            return all(requires_a_term(part) for part in parts)
        case Not():
            return False
        case FieldTerm(name):
            return name not in NARROWING
        case _:
            return True


def to_text(query: Query) -> str:
    """The one way of writing for all queries that mean the same words in the same order; it can be read again."""
    match query:
        case And(parts):
            return "(" + " ".join(to_text(part) for part in parts) + ")"
        case Or(parts):
            return "(" + " OR ".join(to_text(part) for part in parts) + ")"
        case Not(part):
            return f"-{to_text(part)}"
        case FieldTerm(name, term):
            return f"{name}:{to_text(term)}"
        case BareWord(keys, symbols=symbols) if symbols:
            return _escaped(_with_symbols(keys, symbols))
        case BareWord(keys, hyphenated, capitals, name):
            made = _bare(keys, "-" if hyphenated else "\\ ", capitals)
            return capitalised(made) if name else made
        case Phrase(keys, symbols=symbols) if symbols:
            return _quoted([_with_symbols(keys, symbols)])
        case Phrase(keys, capitals):
            return _quoted(key.upper() if capitals else key for key in keys)
        case Prefix(keys):
            return _bare(keys, "-", capitals=False) + "*"
        case Exact(_, spelled, symbols):
            return "=" + _quoted([_with_symbols(spelled, symbols)] if symbols else spelled)
        case AccentInsensitive(keys):
            return "~" + _quoted(keys)
        case Near(parts, distance):
            return _quoted("-".join(part) for part in parts) + f"~{distance}"


def capitalised(key: str) -> str:
    """A key as a name is written."""
    return key[0].upper() + key[1:]


def _quoted(words: Iterable[str]) -> str:
    return '"' + " ".join(word.replace("\\", r"\\").replace('"', r"\"").replace("*", r"\*") for word in words) + '"'


def _with_symbols(keys: tuple[str, ...], symbols: tuple[str, ...]) -> str:
    """Words with their symbols; where none is asked for between two, a space says so."""
    made = symbols[0]
    for key, symbol, last in zip(keys, symbols[1:], [*[False] * (len(keys) - 1), True], strict=True):
        made += key + (symbol if symbol or last else " ")
    return made


def _escaped(written: str) -> str:
    """A bare word in which no symbol has a meaning."""
    made = "".join(f"\\{char}" if char.isspace() or char in _MEANING else char for char in written[1:])
    made = (written[0] + made).replace("&&", r"&\&").replace("..", r".\.")
    if made.partition("/")[0] in _NEARNESS:
        made = made.replace("/", r"\/", 1)
    return f"\\{made}" if made[0].isspace() or made[0] in _MEANING_FIRST else made


def _bare(keys: tuple[str, ...], between: str, capitals: bool) -> str:
    """Join words; `between` separates those of scripts with spaces. No key is an operator, since keys are in small letters."""
    made = keys[0]
    for key, next_key in pairwise(keys):
        made += next_key if is_unspaced(key) and is_unspaced(next_key) else between + next_key
    if not capitals:
        return made
    return f"\\{made.upper()}" if made.upper() in OPERATORS else made.upper()
