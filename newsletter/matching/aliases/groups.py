"""Alias groups: all spellings of one name, which of them find the others, and which need another word in the item."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from newsletter.matching.query.compiled import Alias, Aliases, alias_key
from newsletter.matching.query.nodes import BareWord, Query, terms


@dataclass(frozen=True)
class OnlyWith:
    """A spelling that counts only in an item that has one of `words` as well: `Apple` with `iPhone`.

    That holds for it as a bare word of a query, too. Quoted it counts anywhere.
    """

    spelling: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class AliasGroup:
    """All spellings of one name, and their source.

    Each of `spellings` and `only_with` finds every other spelling of the group; those of `one_way` are found and find nothing.
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
        return (*self.spellings, *(only.spelling for only in self.only_with))

    @property
    def everything(self) -> tuple[str, ...]:
        """Every spelling."""
        return (*self.finding, *self.one_way)


def same_spelling(left: str, right: str) -> bool:
    """Whether two spellings have the same key: case, hyphens, width and the like make no difference."""
    return alias_key(left) == alias_key(right)


def contains_spelling(spellings: Iterable[str], wanted: str) -> bool:
    """Whether one of these spellings is the same as `wanted`."""
    return any(same_spelling(wanted, spelling) for spelling in spellings)


def without_spellings(groups: Iterable[AliasGroup], off: Iterable[str]) -> tuple[AliasGroup, ...]:
    """These groups without the spellings that a topic switched off."""
    removed = {alias_key(spelling) for spelling in off}
    if not removed:
        return tuple(groups)
    return tuple(
        replace(
            group,
            spellings=tuple(spelling for spelling in group.spellings if alias_key(spelling) not in removed),
            one_way=tuple(spelling for spelling in group.one_way if alias_key(spelling) not in removed),
            only_with=tuple(only for only in group.only_with if alias_key(only.spelling) not in removed),
        )
        for group in groups
    )


def alias_table(groups: Iterable[AliasGroup]) -> Aliases:
    """For the matcher: the key of each spelling that finds others → those others."""
    others: dict[str, list[Alias]] = defaultdict(list)
    for group in groups:
        aliases = {alias_key(alias.spelling): alias for alias in _aliases(group)}
        for spelling in group.finding:
            key = alias_key(spelling)
            others[key] += [alias for other, alias in aliases.items() if other != key or alias.context]
    return {key: tuple(aliases) for key, aliases in others.items()}


def spelling_to_term(spelling: str) -> str:
    """A spelling as a term of the query language: a bare word, with its inflected forms, or several words as a phrase."""
    return f'"{spelling}"' if len(spelling.split()) > 1 else spelling


def term_to_spelling(term: str) -> str:
    """The inverse of `spelling_to_term`."""
    return term.strip('"')


def group_query(group: AliasGroup) -> str:
    """A query for every spelling of the group: its name, if that is a spelling. Several words are joined by hyphens."""
    names = [spelling for spelling in group.finding if same_spelling(spelling, group.name)] or group.spellings
    return "-".join(names[0].split())


def unmet_names(query: Query, text: str, groups: Iterable[AliasGroup]) -> list[tuple[str, str]]:
    """Names of several words in a query's `text` that it does not match by other spellings: (the name, how to write it).

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
    for only in group.only_with:
        yield Alias(spelling_to_term(only.spelling), group.pack, group.id, tuple(map(spelling_to_term, only.words)))
