"""Revisions of topics: make a draft, which can be previewed, save it as a revision, and restore an earlier one."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import record_difference
from newsletter.lib.refused import Refused
from newsletter.matching.aliases.groups import AliasGroup, contains_spelling, without_spellings
from newsletter.matching.aliases.pack_files import AliasPackFile
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.query import language
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.lookup import bump_index_version, find_topic, live_revisions, no_such_topic, thing_of
from newsletter.models import Topic, TopicRevision


@dataclass(frozen=True)
class SavedRevision:
    """A topic and the number of its live revision."""

    topic_id: int
    revision: int


@dataclass(frozen=True)
class TopicDraft:
    """A revision that is not saved yet. `groups` are those of its packs without the spellings in `off`."""

    query: str = field(repr=False)
    versions: dict[str, int]
    off: tuple[str, ...] = ()
    groups: tuple[AliasGroup, ...] = field(default=(), repr=False)
    #: Packs that must be stored with it.
    packs: tuple[AliasPackFile, ...] = field(default=(), repr=False)
    note: str = ""
    #: The revision that it changes; None for a new topic.
    based_on: int | None = None


@dataclass(frozen=True)
class TopicChange:
    """What to change of a topic; None leaves it as it is. `off` and `on` are spellings."""

    query: str | None = field(default=None, repr=False)
    packs: Collection[str] | None = None
    off: tuple[str, ...] = ()
    on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Revision:
    """One line of a topic's history."""

    n: int
    query: str = field(repr=False)
    packs: dict[str, int]
    without: tuple[str, ...]
    made_at: datetime
    made_by: str
    note: str


def new_draft(query: str, *, packs: Collection[str] | None = None, off: tuple[str, ...] = ()) -> TopicDraft | Refused:
    """The draft of a new topic. By default its bare words match the spellings of every pack."""
    return _make_draft(query.strip(), topic_aliases.available_packs() if packs is None else packs, off)


def changed_draft(name: str, change: TopicChange) -> TopicDraft | Refused:
    """The draft of a topic's next revision. It uses the packs as they are now, even if only the query changes."""
    topic = find_topic(name)
    if topic is None:
        return no_such_topic()
    live = live_revision(topic)
    query = (live.query or "") if change.query is None else change.query.strip()
    kept = [spelling for spelling in live.without if not contains_spelling(change.on, spelling)]
    draft = _make_draft(query, live.packs if change.packs is None else change.packs, change.off, kept)
    if isinstance(draft, Refused):
        return draft
    if (draft.query, draft.versions, list(draft.off)) == (live.query, live.packs, live.without):
        return Refused("no change: the topic already looks like this")
    return replace(draft, based_on=live.id)


def restored_draft(name: str, n: int) -> TopicDraft | Refused:
    """The draft that restores revision `n` of a topic, with the packs of that time."""
    topic = find_topic(name)
    if topic is None:
        return no_such_topic()
    earlier = TopicRevision.objects.filter(topic=topic, n=n).first()
    if earlier is None:
        return Refused("there is no such revision: see 'newsletter topics history NAME'")
    if earlier.id == topic.revision_id:
        return Refused("no change: the topic already looks like this")
    refusal = query_problem(earlier.query or "")
    return refusal or replace(draft_of(earlier), note=f"as revision {n}", based_on=topic.revision_id)


def draft_of(revision: TopicRevision) -> TopicDraft:
    """The draft of a revision that is there, to compare it with others."""
    groups = topic_aliases.groups_by_revision([revision])[revision.id]
    return TopicDraft(revision.query or "", dict(revision.packs), tuple(revision.without), groups)


def save_draft(name: str, draft: TopicDraft, *, now: datetime, actor: Actor) -> SavedRevision | Refused:
    """Make a draft the topic's live revision. New items are matched at once, stored ones later (`rematch.py`)."""
    changed_meanwhile = Refused("somebody else has changed it: preview your change again")
    try:
        with transaction.atomic():
            topic = find_topic(name)
            if topic is None:
                return no_such_topic()
            if topic.revision_id != draft.based_on:
                return changed_meanwhile
            last = TopicRevision.objects.filter(topic=topic).order_by("-n").values_list("n", flat=True)[0]
            before = as_columns(live_revision(topic))
            made = write_revision(topic, last + 1, draft, now=now, actor=actor)
            record_difference(actor, "topic.edit", thing_of(topic), now=now, before=before, after=as_columns(made))
            return SavedRevision(topic.id, last + 1)
    except IntegrityError:
        return changed_meanwhile


def as_columns(revision: TopicRevision) -> dict[str, Any]:
    """What the audit log keeps of a curated topic's revision."""
    return {
        "revision": revision.n,
        "query": revision.query,
        "packs": dict(revision.packs),
        "without": list(revision.without),
    }


def write_revision(topic: Topic, n: int, draft: TopicDraft, *, now: datetime, actor: Actor) -> TopicRevision:
    """Write revision `n` of a topic and make it live. Call it in a transaction."""
    topic_aliases.store_packs(draft.packs, now=now)
    revision = TopicRevision.objects.create(
        topic=topic,
        n=n,
        query=draft.query,
        packs=draft.versions,
        without=list(draft.off),
        made_at=now,
        made_by=actor.name,
        note=draft.note,
        rematch=TopicRevision.Rematch.TODO,
    )
    TopicRevision.objects.filter(topic=topic).exclude(id=revision.id).update(rematch=TopicRevision.Rematch.DONE)
    Topic.objects.filter(id=topic.id).update(revision_id=revision.id)
    bump_index_version()
    return revision


def live_revision(topic: Topic) -> TopicRevision:
    """The revision that a topic is matched by."""
    return live_revisions([topic])[topic.id]


def history(name: str) -> list[Revision] | Refused:
    """All revisions of an active topic, newest first."""
    topic = find_topic(name)
    return no_such_topic() if topic is None else history_of(topic.id)


def history_of(topic_id: int) -> list[Revision]:
    """All revisions of a topic, also of a retired one, newest first."""
    return [
        Revision(row.n, row.query or "", row.packs, tuple(row.without), row.made_at, row.made_by, row.note)
        for row in TopicRevision.objects.filter(topic_id=topic_id).order_by("-n")
    ]


def query_problem(query: str) -> Refused | None:
    """Why a topic cannot have this query. Returns None if it can."""
    try:
        language.parse(query)
    except QueryError as error:
        return Refused(f"the query cannot be used, column {error.column}: {error.hint}")
    return None


def _make_draft(
    query: str, names: Collection[str], new: Collection[str], kept: Collection[str] = ()
) -> TopicDraft | Refused:
    """A draft without the spellings in `new`, which must be in the packs, and in `kept`, which may not be any more."""
    refusal = query_problem(query)
    if refusal is not None:
        return refusal
    try:
        packs = topic_aliases.current_packs(names)
    except ValueError as error:
        return Refused(str(error))
    groups = [group for pack in packs.values() for group in pack.groups]
    reason = topic_aliases.unknown_spelling(new, groups)
    if reason is not None:
        return Refused(reason)
    still_there = [spelling for spelling in kept if topic_aliases.unknown_spelling([spelling], groups) is None]
    off = tuple(dict.fromkeys((*still_there, *new)))
    versions = {name: pack.version for name, pack in packs.items()}
    return TopicDraft(query, versions, off, without_spellings(groups, off), tuple(packs.values()))
