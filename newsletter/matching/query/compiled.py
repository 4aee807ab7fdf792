"""Compile a query for the matcher: each term with all alternatives that match it, those of aliases included."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from newsletter.matching.query.nodes import (
    AccentInsensitive,
    BareWord,
    Exact,
    FieldTerm,
    Near,
    Phrase,
    Plain,
    Prefix,
    Query,
    Term,
    Tree,
    map_terms,
    positive,
    to_text,
)
from newsletter.matching.query.parser import read_query
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.text.scripts import is_unspaced
from newsletter.matching.text.tokenize import keys


@dataclass(frozen=True, slots=True)
class Alias:
    """Another spelling of a name. `spelling` is one term: a bare word (also inflected), a "phrase" or `=as spelled`."""

    spelling: str
    pack: str
    group: str
    #: Bare words of which one must be in the same item; empty: always valid.
    context: tuple[str, ...] = ()


#: The key of a name (`alias_key`) → its other spellings, those that it is to find.
Aliases = Mapping[str, tuple[Alias, ...]]
NO_ALIASES: Aliases = MappingProxyType({})


class MatchKind(Enum):
    """How the words of an alternative are compared."""

    #: One word with its inflected forms, and words with hyphens that read as one are such a form.
    WORD = 1
    #: Adjacent words, unchanged.
    PHRASE = 2
    #: Adjacent words, the last of which is a prefix.
    PREFIX = 3
    #: Adjacent words, with any accents.
    UNACCENTED = 4
    #: As WORD, but only with inflected forms that names have.
    NAME = 5


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to match a term."""

    kind: MatchKind
    keys: tuple[str, ...] = field(repr=False)
    #: How many letters must be capitals; a plural `s` may follow. 0: case makes no difference.
    capitals: int = 0
    #: How the words must be spelled, including case; empty: it makes no difference.
    spelling: tuple[str, ...] = field(default=(), repr=False)
    #: Which symbols must stand before, between and after the words; empty: they make no difference.
    symbols: tuple[str, ...] = field(default=(), repr=False)
    alias: Alias | None = None
    #: Alternatives of which one must match in the same item; empty: always valid.
    context: "tuple[Alternative, ...]" = ()

    @property
    def sufficient(self) -> bool:
        """Whether it matches wherever its keys are found."""
        return not (self.capitals or self.spelling or self.symbols or self.context)


@dataclass(frozen=True, slots=True)
class TermQuery:
    """A term of a query with all alternatives. Equal ones are shared by all queries."""

    #: The term in its normal form.
    text: str = field(repr=False)
    alternatives: tuple[Alternative, ...] = field(repr=False)
    #: The field it must stand in; empty: title or text.
    field: str = ""
    #: If not None, all alternatives must match, with at most so many other words among them.
    distance: int | None = None

    @property
    def sufficient(self) -> bool:
        """Whether an item matches that has the keys of one of the alternatives."""
        return not self.field and self.distance is None and all(each.sufficient for each in self.alternatives)


#: A tree of compiled terms.
CompiledQuery = Tree[TermQuery]


def alias_key(spelling: str) -> str:
    """The key of `Aliases` for a spelling."""
    return " ".join(keys(spelling))


def compile_query(query: Query, aliases: Aliases = NO_ALIASES) -> CompiledQuery:
    """Compile a query, with the aliases of its bare words.

    Raises:
        QueryError: an alias is not a single term.
    """

    def compile_term(term: Term) -> TermQuery:
        return _compile_term(term, aliases)

    return map_terms(query, compile_term)  # type: ignore[arg-type]  # mypy takes a union of terms for an object


def positive_terms(query: CompiledQuery) -> Iterator[TermQuery]:
    """The terms whose presence a query asks for."""
    return positive(query)


def to_compact(query: CompiledQuery) -> CompiledQuery | str:
    """A form that takes less memory: for one bare word or one phrase without aliases, which most queries are, its text."""
    return query.text if isinstance(query, TermQuery) and from_compact(query.text) == query else query


def from_compact(compact: CompiledQuery | str) -> CompiledQuery:
    """The inverse of `to_compact`."""
    if not isinstance(compact, str):
        return compact
    if compact.startswith('"'):
        return TermQuery(compact, (Alternative(MatchKind.PHRASE, tuple(compact[1:-1].split(" "))),))
    if compact[0].isupper():
        return TermQuery(compact, (Alternative(MatchKind.NAME, (compact[0].lower() + compact[1:],)),))
    return TermQuery(compact, (Alternative(MatchKind.WORD, (compact,)),))


def _compile_term(term: Term, aliases: Aliases) -> TermQuery:
    text = to_text(term)
    match term:
        case Near(parts, distance):
            return TermQuery(text, _phrases(parts), distance=distance)
        case FieldTerm(name, Near(parts, distance)):
            return TermQuery(text, _phrases(parts), name, distance)
        case FieldTerm("title", plain):
            return TermQuery(text, _with_aliases(plain, aliases), "title")
        case FieldTerm(name, BareWord(words, symbols=symbols)):  # names of publishers and people are not inflected
            return TermQuery(text, (Alternative(MatchKind.PHRASE, words, symbols=symbols),), name)
        case FieldTerm(name, plain):
            return TermQuery(text, _alternatives(plain), name)
        case _:
            return TermQuery(text, _with_aliases(term, aliases))


def _phrases(parts: tuple[tuple[str, ...], ...]) -> tuple[Alternative, ...]:
    return tuple(Alternative(MatchKind.PHRASE, part) for part in parts)


def _alternatives(term: Plain) -> tuple[Alternative, ...]:
    match term:
        case BareWord((key,), _, capitals) | Phrase((key,), capitals) if capitals:
            plural = (Alternative(MatchKind.PHRASE, (f"{key}s",), len(key)),) if isinstance(term, BareWord) else ()
            return (Alternative(MatchKind.PHRASE, (key,), len(key)), *plural)
        case BareWord(words, symbols=symbols) | Phrase(words, symbols=symbols) if symbols:
            return (Alternative(MatchKind.PHRASE, words, symbols=symbols),)
        case BareWord((key,), name=name) if not is_unspaced(key):
            return (Alternative(_word_kind(name), (key,)),)
        case BareWord(words, hyphenated, name=name) if hyphenated:
            return (Alternative(MatchKind.PHRASE, words), Alternative(_word_kind(name), ("".join(words),)))
        case BareWord(words) | Phrase(words):
            return (Alternative(MatchKind.PHRASE, words),)
        case Prefix(words):
            return (Alternative(MatchKind.PREFIX, words),)
        case Exact(words, spelling, symbols):
            return (Alternative(MatchKind.PHRASE, words, 0, spelling, symbols),)
        case AccentInsensitive(words):
            return (Alternative(MatchKind.UNACCENTED, words),)
        case Near(parts):
            return _phrases(parts)


def _word_kind(name: bool) -> MatchKind:
    return MatchKind.NAME if name else MatchKind.WORD


def _with_aliases(term: Plain, aliases: Aliases) -> tuple[Alternative, ...]:
    """The alternatives of a term and, for a bare word, of its aliases.

    If the word itself is among its aliases, it matches only in the context that the alias gives.
    """
    if not isinstance(term, BareWord):
        return _alternatives(term)
    key = " ".join(term.keys)
    others = aliases.get(key, ())
    itself = () if any(alias_key(alias.spelling) == key for alias in others) else _alternatives(term)
    return (*itself, *(alternative for alias in others for alternative in _alias_alternatives(alias)))


def _alias_alternatives(alias: Alias) -> Iterator[Alternative]:
    context = tuple(each for word in alias.context for each in _alternatives(_read_spelling(word)))
    for alternative in _alternatives(_read_spelling(alias.spelling)):
        yield replace(alternative, alias=alias, context=context)


def _read_spelling(spelling: str) -> Plain:
    term = read_query(spelling)
    if isinstance(term, BareWord | Phrase | Exact):
        return term
    raise QueryError('a spelling is one word, a "phrase" or =exact')
