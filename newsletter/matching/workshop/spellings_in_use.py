"""The spellings of alias packs that a query's bare words find, one by one: what the workshop shows as switches."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from newsletter.matching.aliases.groups import AliasGroup, contains_spelling
from newsletter.matching.query.compiled import alias_key
from newsletter.matching.query.language import parse
from newsletter.matching.query.nodes import BareWord, FieldTerm, terms
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.reader_feedback import spelling_of
from newsletter.models import Match

#: The newest matches whose spellings are counted.
_MOST: Final = 2_000


@dataclass(frozen=True)
class SpellingInUse:
    """A spelling of a group that a bare word of the query finds.

    `typed`: it stands in the query itself, so it cannot be switched off. `only_with`: words of which one must be in the item too.
    """

    spelling: str
    on: bool
    typed: bool
    only_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupInUse:
    """The spellings of one name, from one pack."""

    pack: str
    group: str
    name: str
    spellings: tuple[SpellingInUse, ...]


def groups_in_use(query: str, groups: Iterable[AliasGroup], off: Iterable[str]) -> tuple[GroupInUse, ...]:
    """The groups that the bare words of a query find, with the spellings that are `off`; none if it cannot be read."""
    try:
        read = parse(query)
    except QueryError:
        return ()
    bare = {" ".join(word.keys) for word in _bare_words(terms(read))}
    switched_off = tuple(off)
    return tuple(
        GroupInUse(group.pack, group.id, group.name, tuple(_spellings(group, bare, switched_off)))
        for group in groups
        if any(alias_key(spelling) in bare for spelling in group.finding)
    )


def _bare_words(found: Iterable[object]) -> Iterator[BareWord]:
    for term in found:
        plain = term.term if isinstance(term, FieldTerm) and term.name == "title" else term
        if isinstance(plain, BareWord):
            yield plain


def _spellings(group: AliasGroup, bare: set[str], off: tuple[str, ...]) -> Iterator[SpellingInUse]:
    needs = {only.spelling: only.words for only in group.only_with}
    seen: set[str] = set()
    for spelling in group.everything:
        key = alias_key(spelling)
        if key in seen:
            continue
        seen.add(key)
        on = not contains_spelling(off, spelling)
        yield SpellingInUse(spelling, on, key in bare, needs.get(spelling, ()))


def stored_counts(topic_id: int, *, now: datetime, days: int) -> Counter[str]:
    """Key of a spelling → how many matches of the last `days` it is in, as their receipts say."""
    receipts = Match.objects.filter(
        topic_id=topic_id, withdrawn_at=None, receipt__isnull=False, matched_at__gte=now - timedelta(days=days)
    )
    newest = receipts.order_by("-matched_at").values_list("receipt", flat=True)[:_MOST]
    return Counter(key for receipt in newest for key in {alias_key(spelling_of(hit)[0]) for hit in receipt or ()})
