"""Alias groups: all spellings of one name, which of them find the others, and which need another word beside them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from newsletter.matching.query.compiled import Alias, Aliases, alias_key
from newsletter.matching.query.nodes import Query, Word, terms


@dataclass(frozen=True)
class OnlyWith:
    """A spelling that counts only in an item where one of `words` stands as well: `Apple` beside `iPhone`.

    So it is as a bare word of a query, too; quoted it counts anywhere.
    """

    spelling: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """All spellings of one name, and where they were taken from.

    Each of `spellings` and `only_with` finds every other spelling of the group; those of `one_way` are found, and find nothing.
    """

    id: str
    pack: str
    name: str
    spellings: tuple[str, ...]
    source: str
    one_way: tuple[str, ...] = ()
    only_with: tuple[OnlyWith, ...] = ()

    @property
    def finding(self) -> tuple[str, ...]:
        """The spellings that find the others."""
        return (*self.spellings, *(one.spelling for one in self.only_with))

    @property
    def everything(self) -> tuple[str, ...]:
        """Every spelling."""
        return (*self.finding, *self.one_way)


def same_spelling(one: str, other: str) -> bool:
    """Whether two spellings are one for whoever types them: case, hyphens, marks of width and the like make no difference."""
    return alias_key(one) == alias_key(other)


def without(groups: Iterable[Group], off: Iterable[str]) -> tuple[Group, ...]:
    """`groups` without the spellings that a topic switched off."""
    gone = {alias_key(spelling) for spelling in off}
    if not gone:
        return tuple(groups)
    return tuple(
        replace(
            group,
            spellings=tuple(one for one in group.spellings if alias_key(one) not in gone),
            one_way=tuple(one for one in group.one_way if alias_key(one) not in gone),
            only_with=tuple(one for one in group.only_with if alias_key(one.spelling) not in gone),
        )
        for group in groups
    )


def table(groups: Iterable[Group]) -> Aliases:
    """For the matcher: under the key of each spelling that finds others, those others."""
    found: dict[str, list[Alias]] = defaultdict(list)
    for group in groups:
        aliases = {alias_key(one.spelling): one for one in _aliases(group)}
        for spelling in group.finding:
            key = alias_key(spelling)
            found[key] += [alias for other, alias in aliases.items() if other != key or alias.context]
    return {key: tuple(others) for key, others in found.items()}


def term_of(spelling: str) -> str:
    """A spelling as a term of the query language: a bare word, which meets its inflected forms, or several as a phrase."""
    return f'"{spelling}"' if len(spelling.split()) > 1 else spelling


def spelling_of(term: str) -> str:
    """The spelling that `term_of` made a term of."""
    return term.strip('"')


def as_query(group: Group) -> str:
    """A bare word that finds every spelling of the group: its name, if that is one. Several words are written with hyphens."""
    names = [one for one in group.finding if same_spelling(one, group.name)] or group.spellings
    return "-".join(names[0].split())


def unmet_names(query: Query, text: str, groups: Iterable[Group]) -> list[tuple[str, str]]:
    """Names of several words in a query's `text` whose other spellings it does not meet: (as it was found, as to write it).

    Only a bare word has aliases, and a bare name of several words is written with hyphens.
    """
    written = f" {alias_key(text)} "
    bare = {" ".join(term.keys) for term in terms(query) if isinstance(term, Word)}
    return [
        (spelling, "-".join(spelling.split()))
        for group in groups
        for spelling in group.finding
        if " " in spelling.strip() and alias_key(spelling) not in bare and f" {alias_key(spelling)} " in written
    ]


def _aliases(group: Group) -> Iterator[Alias]:
    for spelling in (*group.spellings, *group.one_way):
        yield Alias(term_of(spelling), group.pack, group.id)
    for one in group.only_with:
        yield Alias(term_of(one.spelling), group.pack, group.id, tuple(map(term_of, one.words)))
