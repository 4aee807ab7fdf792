"""What a topic looks for, and when it changed: a draft to be looked at first, then a revision, and the way back."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import IntegrityError, transaction

from newsletter.lib.refused import Refused
from newsletter.matching.aliases.groups import Group, same_spelling, without
from newsletter.matching.aliases.pack_files import Pack
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.query import language
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.lookup import find, raise_number, unknown
from newsletter.models import Topic, TopicRevision


@dataclass(frozen=True)
class Made:
    """Done: the topic and the number of its live revision."""

    topic_id: int
    revision: int


@dataclass(frozen=True)
class Draft:
    """A revision that is not made yet. `groups` are those of its packs without the spellings in `off`."""

    query: str = field(repr=False)
    versions: dict[str, int]
    off: tuple[str, ...] = ()
    groups: tuple[Group, ...] = field(default=(), repr=False)
    #: Packs that must be kept for it.
    packs: tuple[Pack, ...] = field(default=(), repr=False)
    note: str = ""
    #: The revision that it was made from; None for a new topic.
    based_on: int | None = None


@dataclass(frozen=True)
class Change:
    """What is to change of a topic; None leaves it as it is. `off` and `on` are spellings."""

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


def first(query: str, *, packs: Collection[str] | None = None, off: tuple[str, ...] = ()) -> Draft | Refused:
    """The draft of a new topic. Unless told otherwise its bare words meet the spellings of every pack."""
    return _drafted(query.strip(), topic_aliases.shipped() if packs is None else packs, off)


def changed(name: str, change: Change) -> Draft | Refused:
    """The draft of a topic's next revision. It takes the packs as they are now, also where only the query changes."""
    topic = find(name)
    if topic is None:
        return unknown()
    live = live_revision(topic)
    query = (live.query or "") if change.query is None else change.query.strip()
    kept = [one for one in live.without if not _among(one, change.on)]
    draft = _drafted(query, live.packs if change.packs is None else change.packs, change.off, kept)
    if isinstance(draft, Refused):
        return draft
    if (draft.query, draft.versions, list(draft.off)) == (live.query, live.packs, live.without):
        return Refused("it is so already: nothing would change")
    return replace(draft, based_on=live.id)


def as_before(name: str, n: int) -> Draft | Refused:
    """The draft that makes a topic what it was in revision `n`, with the packs of then."""
    topic = find(name)
    if topic is None:
        return unknown()
    then = TopicRevision.objects.filter(topic=topic, n=n).first()
    if then is None:
        return Refused("there is no such revision: see 'newsletter topics history NAME'")
    if then.id == topic.revision_id:
        return Refused("it is so already: nothing would change")
    refusal = bad_query(then.query or "")
    return refusal or replace(draft_of(then), note=f"as revision {n}", based_on=topic.revision_id)


def draft_of(revision: TopicRevision) -> Draft:
    """A revision as it is, to be compared with others."""
    groups = topic_aliases.groups_of([revision])[revision.id]
    return Draft(revision.query or "", dict(revision.packs), tuple(revision.without), groups)


def save(name: str, draft: Draft, *, now: datetime, made_by: str) -> Made | Refused:
    """Make a draft the topic's live revision; stored items meet it later (`rematch.py`), those seen from now on at once."""
    changed_meanwhile = Refused("somebody changed it meanwhile: look again at what your change would do")
    try:
        with transaction.atomic():
            topic = find(name)
            if topic is None:
                return unknown()
            if topic.revision_id != draft.based_on:
                return changed_meanwhile
            last = TopicRevision.objects.filter(topic=topic).order_by("-n").values_list("n", flat=True)[0]
            revise(topic, last + 1, draft, now=now, made_by=made_by)
            return Made(topic.id, last + 1)
    except IntegrityError:
        return changed_meanwhile


def revise(topic: Topic, n: int, draft: Draft, *, now: datetime, made_by: str) -> None:
    """Write revision `n` of a topic and make it live. Inside a transaction of the caller."""
    topic_aliases.keep(draft.packs, now=now)
    revision = TopicRevision.objects.create(
        topic=topic,
        n=n,
        query=draft.query,
        packs=draft.versions,
        without=list(draft.off),
        made_at=now,
        made_by=made_by,
        note=draft.note,
        rematch=TopicRevision.Rematch.TODO,
    )
    TopicRevision.objects.filter(topic=topic).exclude(id=revision.id).update(rematch=TopicRevision.Rematch.DONE)
    Topic.objects.filter(id=topic.id).update(revision_id=revision.id)
    raise_number()


def live_revision(topic: Topic) -> TopicRevision:
    """The revision that a topic is matched by."""
    return TopicRevision.objects.get(id=topic.revision_id or 0)


def history(name: str) -> list[Revision] | Refused:
    """All revisions of a topic, the newest first."""
    topic = find(name)
    if topic is None:
        return unknown()
    return [
        Revision(row.n, row.query or "", row.packs, tuple(row.without), row.made_at, row.made_by, row.note)
        for row in TopicRevision.objects.filter(topic=topic).order_by("-n")
    ]


def bad_query(query: str) -> Refused | None:
    """Why a topic cannot have this query; None when it can."""
    try:
        language.parse(query)
    except QueryError as error:
        return Refused(f"the query cannot be used, column {error.column}: {error.hint}")
    return None


def _drafted(query: str, names: Collection[str], new: Collection[str], kept: Collection[str] = ()) -> Draft | Refused:
    """A draft without the spellings in `new`, which must be there, and in `kept`, which may be gone from the packs."""
    refusal = bad_query(query)
    if refusal is not None:
        return refusal
    try:
        found = topic_aliases.present(names)
    except ValueError as error:
        return Refused(str(error))
    groups = [group for pack in found.values() for group in pack.groups]
    said = topic_aliases.missing(new, groups)
    if said is not None:
        return Refused(said)
    off = tuple(dict.fromkeys((*(one for one in kept if topic_aliases.missing([one], groups) is None), *new)))
    versions = {name: pack.version for name, pack in found.items()}
    return Draft(query, versions, off, without(groups, off), tuple(found.values()))


def _among(spelling: str, others: Collection[str]) -> bool:
    return any(same_spelling(spelling, other) for other in others)
