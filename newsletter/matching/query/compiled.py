"""A query and the aliases of its words in, what is sought in an item out: each term with all ways to meet it."""

from collections.abc import Collection, Iterator, Mapping
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
    #: Bare words, one of which must stand in the same item; none: always.
    context: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What a topic that switches it off calls it: `pack:group:spelling`."""
        return f"{self.pack}:{self.group}:{self.spelling}"


#: The key of a name (`alias_key`) → its other spellings. Which way an alias works is a matter of what stands under which key.
Aliases = Mapping[str, tuple[Alias, ...]]
NO_ALIASES: Aliases = MappingProxyType({})


class MatchKind(Enum):
    """How a way looks at words."""

    #: The word, its inflected forms, and words with hyphens that make it when read as one.
    WORD = 1
    #: Words side by side, as they are.
    ROW = 2
    #: The same, but the last is only a beginning.
    START = 3
    #: Words side by side, whatever their accents.
    BARE = 4
    #: As WORD, but only inflected forms that names have.
    NAME = 5


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to meet a term."""

    kind: MatchKind
    keys: tuple[str, ...] = field(repr=False)
    #: How many letters must be capitals; a plural `s` may follow. 0: case makes no difference.
    capitals: int = 0
    #: How the words must be spelled, their case included; empty: it makes no difference.
    spelled: tuple[str, ...] = field(default=(), repr=False)
    #: What must stand before, between and after the words; empty: it makes no difference.
    signs: tuple[str, ...] = field(default=(), repr=False)
    alias: Alias | None = None
    #: Ways of which one must be met in the same item; empty: always.
    context: "tuple[Alternative, ...]" = ()

    @property
    def sure(self) -> bool:
        """Whether finding the keys is enough."""
        return not (self.capitals or self.spelled or self.signs or self.context)


@dataclass(frozen=True, slots=True)
class TermQuery:
    """A term of a query with all ways to meet it. Equal ones are shared by all queries."""

    #: The term, in its normal way of writing.
    written: str = field(repr=False)
    ways: tuple[Alternative, ...] = field(repr=False)
    #: Where it must stand; empty: in the title or the text.
    within: str = ""
    #: Not None: all ways must be met, with at most so many other words among them.
    distance: int | None = None

    @property
    def sure(self) -> bool:
        """Whether an item in which one of the ways' keys is found meets it."""
        return not self.within and self.distance is None and all(way.sure for way in self.ways)


#: A compiled query.
CompiledQuery = Tree[TermQuery]


def alias_key(spelling: str) -> str:
    """Under which key of `Aliases` the other spellings of a name stand."""
    return " ".join(keys(spelling))


def compile_query(query: Query, aliases: Aliases = NO_ALIASES, *, off: Collection[str] = frozenset()) -> CompiledQuery:
    """What is sought for a query. `off`: ids of aliases that this topic does without.

    Raises:
        QueryError: an alias is not a single term.
    """

    def sought(term: Term) -> TermQuery:
        return _sought(term, aliases, off)

    return map_terms(query, sought)  # type: ignore[arg-type]  # mypy takes a union of terms for an object


def positive_terms(plan: CompiledQuery) -> Iterator[TermQuery]:
    """The terms whose presence a query asks for."""
    return positive(plan)


def to_compact(plan: CompiledQuery) -> CompiledQuery | str:
    """A query as it is kept: most are one bare word or one phrase without aliases, of which the letters are enough."""
    return plan.written if isinstance(plan, TermQuery) and from_compact(plan.written) == plan else plan


def from_compact(kept: CompiledQuery | str) -> CompiledQuery:
    """The query that `packed` made smaller."""
    if not isinstance(kept, str):
        return kept
    if kept.startswith('"'):
        return TermQuery(kept, (Alternative(MatchKind.ROW, tuple(kept[1:-1].split(" "))),))
    if kept[0].isupper():
        return TermQuery(kept, (Alternative(MatchKind.NAME, (kept[0].lower() + kept[1:],)),))
    return TermQuery(kept, (Alternative(MatchKind.WORD, (kept,)),))


def _sought(term: Term, aliases: Aliases, off: Collection[str]) -> TermQuery:
    match term:
        case Near(parts, distance):
            return TermQuery(to_text(term), _rows(parts), distance=distance)
        case FieldTerm(name, Near(parts, distance)):
            return TermQuery(to_text(term), _rows(parts), name, distance)
        case FieldTerm("title", plain):
            return TermQuery(to_text(term), _all_ways(plain, aliases, off), "title")
        case FieldTerm(name, BareWord(words, signs=signs)):  # names of publishers and people are not inflected
            return TermQuery(to_text(term), (Alternative(MatchKind.ROW, words, signs=signs),), name)
        case FieldTerm(name, plain):
            return TermQuery(to_text(term), _ways(plain), name)
        case _:
            return TermQuery(to_text(term), _all_ways(term, aliases, off))


def _rows(parts: tuple[tuple[str, ...], ...]) -> tuple[Alternative, ...]:
    return tuple(Alternative(MatchKind.ROW, part) for part in parts)


def _ways(term: Plain) -> tuple[Alternative, ...]:
    match term:
        case BareWord((key,), _, capitals) | Phrase((key,), capitals) if capitals:
            plural = (Alternative(MatchKind.ROW, (f"{key}s",), len(key)),) if isinstance(term, BareWord) else ()
            return (Alternative(MatchKind.ROW, (key,), len(key)), *plural)
        case BareWord(words, signs=signs) | Phrase(words, signs=signs) if signs:
            return (Alternative(MatchKind.ROW, words, signs=signs),)
        case BareWord((key,), name=name) if not is_unspaced(key):
            return (Alternative(MatchKind.NAME if name else MatchKind.WORD, (key,)),)
        case BareWord(words, hyphenated, name=name) if hyphenated:
            return (
                Alternative(MatchKind.ROW, words),
                Alternative(MatchKind.NAME if name else MatchKind.WORD, ("".join(words),)),
            )
        case BareWord(words) | Phrase(words):
            return (Alternative(MatchKind.ROW, words),)
        case Prefix(words):
            return (Alternative(MatchKind.START, words),)
        case Exact(words, spelled, signs):
            return (Alternative(MatchKind.ROW, words, 0, spelled, signs),)
        case AccentInsensitive(words):
            return (Alternative(MatchKind.BARE, words),)
        case Near(parts):
            return _rows(parts)


def _all_ways(term: Plain, aliases: Aliases, off: Collection[str]) -> tuple[Alternative, ...]:
    """The term itself and, for a bare word, its aliases. An alias of itself says in which context the word counts at all."""
    if not isinstance(term, BareWord):
        return _ways(term)
    key = " ".join(term.keys)
    others = [alias for alias in aliases.get(key, ()) if alias.id not in off]
    itself = () if any(alias_key(alias.spelling) == key for alias in others) else _ways(term)
    return (*itself, *(way for alias in others for way in _alias_ways(alias)))


def _alias_ways(alias: Alias) -> Iterator[Alternative]:
    context = tuple(way for word in alias.context for way in _ways(_spelled(word)))
    for way in _ways(_spelled(alias.spelling)):
        yield replace(way, alias=alias, context=context)


def _spelled(spelling: str) -> Plain:
    term = read_query(spelling)
    if isinstance(term, BareWord | Phrase | Exact):
        return term
    raise QueryError('a spelling is one word, a "phrase" or =exact')
