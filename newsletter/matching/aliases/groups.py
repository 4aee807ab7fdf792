"""Alias groups: all spellings of one name, which of them find the others, and which need another word beside them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from newsletter.matching.query.compiled import Alias, Aliases, alias_key
from newsletter.matching.query.nodes import BareWord, Query, terms


@dataclass(frozen=True)
class OnlyWith:
    """A spelling that counts only in an item where one of `words` stands as well: `Apple` beside `iPhone`.

    So it is as a bare word of a query, too; quoted it counts anywhere.
    """

    spelling: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class AliasGroup:
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


def without_spellings(groups: Iterable[AliasGroup], off: Iterable[str]) -> tuple[AliasGroup, ...]:
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


def alias_table(groups: Iterable[AliasGroup]) -> Aliases:
    """For the matcher: under the key of each spelling that finds others, those others."""
    found: dict[str, list[Alias]] = defaultdict(list)
    for group in groups:
        aliases = {alias_key(one.spelling): one for one in _aliases(group)}
        for spelling in group.finding:
            key = alias_key(spelling)
            found[key] += [alias for other, alias in aliases.items() if other != key or alias.context]
    return {key: tuple(others) for key, others in found.items()}


def spelling_to_term(spelling: str) -> str:
    """A spelling as a term of the query language: a bare word, which meets its inflected forms, or several as a phrase."""
    return f'"{spelling}"' if len(spelling.split()) > 1 else spelling


def term_to_spelling(term: str) -> str:
    """The spelling that `spelling_to_term` made a term of."""
    return term.strip('"')


def group_query(group: AliasGroup) -> str:
    """A bare word that finds every spelling of the group: its name, if that is one. Several words are written with hyphens."""
    names = [one for one in group.finding if same_spelling(one, group.name)] or group.spellings
    return "-".join(names[0].split())


def unmet_names(query: Query, text: str, groups: Iterable[AliasGroup]) -> list[tuple[str, str]]:
    """Names of several words in a query's `text` whose other spellings it does not meet: (as it was found, as to write it).

    Only a bare word has aliases, and a bare name of several words is written with hyphens.
    """
    written = f" {alias_key(text)} "
    bare = {" ".join(term.keys) for term in terms(query) if isinstance(term, BareWord)}
    return [
        (spelling, "-".join(spelling.split()))
        for group in groups
        for spelling in group.finding
        if " " in spelling.strip() and alias_key(spelling) not in bare and f" {alias_key(spelling)} " in written
    ]


def _aliases(group: AliasGroup) -> Iterator[Alias]:
    for spelling in (*group.spellings, *group.one_way):
        yield Alias(spelling_to_term(spelling), group.pack, group.id)
    for one in group.only_with:
        yield Alias(spelling_to_term(one.spelling), group.pack, group.id, tuple(map(spelling_to_term, one.words)))
