"""The workshop of topics: what an admin typed for a topic, read and turned into a draft, with its facts and its spellings.

The rules are those of `revisions.py`; this adds what a form needs: where the query is wrong, and switches for single spellings.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.lib.refused import Refused
from newsletter.matching.aliases.groups import AliasGroup, contains_spelling
from newsletter.matching.aliases.pack_files import AliasPackFile
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.query.language import MOST_TERMS, parse
from newsletter.matching.query.nodes import And, Not, Or, Query, positive, terms, to_text
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics import revisions, topics
from newsletter.matching.topics.revisions import SavedRevision, TopicChange, TopicDraft
from newsletter.matching.workshop.spellings_in_use import GroupInUse, groups_in_use
from newsletter.models import TopicRevision

#: Characters of the query that are repeated beside an error.
_AROUND: Final = 12


@dataclass(frozen=True)
class Proposal:
    """A topic as somebody typed it. `shown`: spellings that had a switch; `ticked`: those of them that are on."""

    query: str = field(repr=False)
    packs: tuple[str, ...]
    shown: tuple[str, ...] = ()
    ticked: tuple[str, ...] = ()
    note: str = ""

    @property
    def off(self) -> tuple[str, ...]:
        """The spellings that were switched off."""
        return tuple(word for word in self.shown if not contains_spelling(self.ticked, word))


@dataclass(frozen=True)
class QueryProblem:
    """Why a query cannot be used, and the characters around the place."""

    column: int
    hint: str
    before: str = field(repr=False)
    at: str = field(repr=False)
    after: str = field(repr=False)


@dataclass(frozen=True)
class QueryFacts:
    """What a query asks for: its terms in their normal form, and those that it leaves out."""

    terms: tuple[str, ...] = field(repr=False)
    excluded: tuple[str, ...] = field(repr=False)
    #: More terms than this are refused.
    most: int = MOST_TERMS


@dataclass(frozen=True)
class NoChange:
    """The proposal is what the topic is already."""


def query_problem(query: str) -> QueryProblem | None:
    """Where and why a query cannot be used. Returns None if it can."""
    try:
        parse(query.strip())
    except QueryError as error:
        text = query.strip()
        place = min(max(error.column - 1, 0), len(text))
        return QueryProblem(
            error.column, error.hint, text[:place], text[place : place + 1], text[place + 1 : place + 1 + _AROUND]
        )
    return None


def query_facts(query: str) -> QueryFacts | None:
    """The terms of a query. Returns None if it cannot be read."""
    try:
        read = parse(query.strip())
    except QueryError:
        return None
    return QueryFacts(_texts(positive(read)), tuple(dict.fromkeys(_excluded(read))))


def _excluded(query: Query) -> list[str]:
    match query:
        case And(parts) | Or(parts):
            return [text for part in parts for text in _excluded(part)]
        case Not(part):
            return list(_texts(terms(part)))
        case _:
            return []


def _texts(found: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(to_text, found)))


def usable_packs() -> dict[str, AliasPackFile]:
    """The packs that there are, as their files are now; those that cannot be used are left out."""
    names = topic_aliases.available_packs()
    try:
        return topic_aliases.current_packs(names)
    except ValueError:  # `doctor` and `topics packs` report which
        return {name: pack for each in names for name, pack in _usable(each).items()}


def _usable(name: str) -> dict[str, AliasPackFile]:
    try:
        return topic_aliases.current_packs([name])
    except ValueError:
        return {}


def spelling_switches(
    proposal: Proposal, off: Collection[str], packs: Mapping[str, AliasPackFile]
) -> tuple[GroupInUse, ...]:
    """The spellings that the query of a proposal finds in its `packs`. `off`: those that are switched off in the topic."""
    groups = [group for name in proposal.packs if name in packs for group in packs[name].groups]
    return groups_in_use(proposal.query, groups, _off(proposal, off))


def _off(proposal: Proposal, off: Collection[str]) -> tuple[str, ...]:
    """The spellings that are off: those of the topic that have no switch in the form, and those that were switched off."""
    kept = [word for word in off if not contains_spelling(proposal.ticked, word)]
    return tuple(dict.fromkeys((*kept, *proposal.off)))


def new_draft(proposal: Proposal) -> TopicDraft | Refused:
    """The draft of a new topic."""
    draft = revisions.new_draft(proposal.query, packs=proposal.packs, off=_known(proposal))
    return draft if isinstance(draft, Refused) else replace(draft, note=proposal.note)


def changed_draft(name: str, live: TopicRevision, proposal: Proposal) -> TopicDraft | NoChange | Refused:
    """The draft of a topic's next revision; `NoChange` if the topic looks like this."""
    on = tuple(word for word in proposal.ticked if contains_spelling(live.without, word))
    off = tuple(word for word in _known(proposal) if not contains_spelling(live.without, word))
    query = proposal.query.strip()
    if not on and not off and (query, set(proposal.packs)) == (live.query, set(live.packs)):
        return NoChange()
    draft = revisions.changed_draft(name, TopicChange(query, proposal.packs, off, on))
    return draft if isinstance(draft, Refused) else replace(draft, note=proposal.note)


def _known(proposal: Proposal) -> tuple[str, ...]:
    """The spellings that are switched off and are in the packs chosen: a pack that was taken away takes its switches along."""
    packs = usable_packs()
    groups: list[AliasGroup] = [group for name in proposal.packs if name in packs for group in packs[name].groups]
    return tuple(word for word in proposal.off if topic_aliases.unknown_spelling([word], groups) is None)


def save(
    name: str, draft: TopicDraft | NoChange, description: str, *, now: datetime, actor: Actor
) -> SavedRevision | Refused:
    """Save a draft as the next revision, and the description, in one transaction. Without a draft only the description."""
    with transaction.atomic():
        saved = topics.set_description(name, description, now=now, actor=actor)
        if isinstance(draft, TopicDraft) and not isinstance(saved, Refused):
            saved = revisions.save_draft(name, draft, now=now, actor=actor)
        if isinstance(saved, Refused):
            transaction.set_rollback(True)
        return saved
