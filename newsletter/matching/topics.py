"""Topics: curated ones with a name, and own ones that all who typed the same keyword share."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import regex
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from newsletter.matching import query as queries
from newsletter.models import IndexState, Match, Subscription, Topic, TopicRevision
from newsletter.vault import Vault

#: Below this many followers a number would say too much about somebody.
FEWEST = 10
LONGEST_NAME = 80


@dataclass(frozen=True)
class Shown:
    """A curated topic. `followers` is None while fewer than ten follow it."""

    topic_id: int
    name: str
    slug: str
    query: str
    revision: int
    state: str
    matches: int
    followers: int | None


@dataclass(frozen=True)
class Made:
    """Done: the topic and the number of its live revision."""

    topic_id: int
    revision: int


@dataclass(frozen=True)
class Refused:
    """Not done; `reason` says what to do."""

    reason: str


def add(name: str, query: str, *, now: datetime, made_by: str) -> Made | Refused:
    """Make a curated topic. It meets items that are seen from now on."""
    name = " ".join(name.split())
    refusal = _bad_name(name) or _bad_query(query)
    if refusal:
        return refusal
    slug = _slug(name)
    try:
        with transaction.atomic():
            if Topic.objects.filter(Q(name__iexact=name) | Q(slug=slug), kind=Topic.Kind.CURATED).exists():
                return Refused("there is such a topic already: see 'newsletter topics list', or choose another name")
            topic = Topic.objects.create(kind=Topic.Kind.CURATED, name=name, slug=slug, created_at=now)
            _revise(topic, 1, query.strip(), now, made_by)
    except IntegrityError:
        return Refused("another topic of that name was made at this moment: see 'newsletter topics list'")
    return Made(topic.id, 1)


def edit(name: str, query: str, *, now: datetime, made_by: str) -> Made | Refused:
    """Give a topic a new revision. It counts for items seen from now on; nobody is mailed old ones."""
    refusal = _bad_query(query)
    if refusal:
        return refusal
    with transaction.atomic():
        topic = _find(name)
        if topic is None:
            return _unknown()
        last = TopicRevision.objects.filter(topic=topic).order_by("-n").values_list("n", flat=True)[0]
        _revise(topic, last + 1, query.strip(), now, made_by)
        return Made(topic.id, last + 1)


def retire(name: str, *, now: datetime) -> Made | Refused:
    """Stop matching a topic and end its subscriptions; what is planned already still goes."""
    with transaction.atomic():
        topic = _find(name)
        if topic is None:
            return _unknown()
        Topic.objects.filter(id=topic.id).update(state=Topic.State.RETIRED)
        live = Subscription.objects.filter(topic=topic, ended_at=None)
        live.update(ended_at=now, ended_reason="retired", changed_at=now)
        _raise_number()
        return Made(topic.id, topic.revision_id or 0)


def listing() -> list[Shown]:
    """All curated topics, by name."""
    return [_shown(topic) for topic in Topic.objects.filter(kind=Topic.Kind.CURATED).order_by("name")]


def find(name: str) -> Shown | None:
    """The active topic of this name or slug, in any case; None when there is none."""
    topic = _find(name)
    return _shown(topic) if topic is not None else None


def own(keyword: str, *, vault: Vault, now: datetime) -> int:
    """The id of the topic that everybody who types this keyword shares, made when it is the first.

    Raises:
        QueryError: it cannot be followed; the error does not repeat it.
    """
    plain = queries.keyword(keyword)
    index = vault.blind_index("query", queries.normal(plain))
    known = Topic.objects.filter(kind=Topic.Kind.OWN, query_index=index).first()
    if known is None:
        key_id, cipher = vault.seal(plain, handle=index, column="query")
        try:
            with transaction.atomic():
                known = Topic.objects.create(
                    kind=Topic.Kind.OWN, query_index=index, query_cipher=cipher, key_id=key_id, created_at=now
                )
                _revise(known, 1, None, now, "reader")
        except IntegrityError:  # somebody typed the same at this moment
            known = Topic.objects.get(kind=Topic.Kind.OWN, query_index=index)
    elif known.state != Topic.State.ACTIVE:
        Topic.objects.filter(id=known.id).update(state=Topic.State.ACTIVE)
        _raise_number()
    return known.id


def own_words(topic_ids: Collection[int], *, vault: Vault) -> dict[int, str]:
    """Keywords of own topics as they were first typed."""
    return {
        topic.id: vault.open(topic.key_id, topic.query_cipher, handle=bytes(topic.query_index or b""), column="query")
        for topic in Topic.objects.filter(id__in=topic_ids, kind=Topic.Kind.OWN)
    }


def drop_orphans() -> int:
    """Delete own topics that nobody follows any more, with their matches; returns how many."""
    live = Subscription.objects.filter(topic=OuterRef("id"), ended_at=None)
    # an ended subscription can be taken up again for as long as it is kept
    anybody = Subscription.objects.filter(topic=OuterRef("id"))
    orphans = Topic.objects.filter(~Exists(live), ~Exists(anybody), kind=Topic.Kind.OWN)
    with transaction.atomic():
        ids = list(orphans.values_list("id", flat=True))
        Match.objects.filter(topic_id__in=ids).delete()
        Topic.objects.filter(id__in=ids).delete()
        if ids:
            _raise_number()
    return len(ids)


@dataclass(frozen=True)
class Revision:
    """One line of a topic's history."""

    n: int
    query: str = field(repr=False)
    made_at: datetime
    made_by: str


def history(name: str) -> list[Revision] | Refused:
    """All revisions of a topic, the newest first."""
    topic = _find(name)
    if topic is None:
        return _unknown()
    rows = TopicRevision.objects.filter(topic=topic).order_by("-n")
    return [Revision(row.n, row.query or "", row.made_at, row.made_by) for row in rows]


def _revise(topic: Topic, n: int, query: str | None, now: datetime, made_by: str) -> None:
    revision = TopicRevision.objects.create(topic=topic, n=n, query=query, made_at=now, made_by=made_by)
    Topic.objects.filter(id=topic.id).update(revision_id=revision.id)
    _raise_number()


def _raise_number() -> None:
    IndexState.objects.filter(id=1).update(number=F("number") + 1)


def _find(name: str) -> Topic | None:
    wanted = " ".join(name.split())
    active = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE)
    return active.filter(Q(name__iexact=wanted) | Q(slug=_slug(wanted))).order_by("id").first()


def _unknown() -> Refused:
    return Refused("there is no such topic: see 'newsletter topics list'")


def _shown(topic: Topic) -> Shown:
    revision = TopicRevision.objects.get(topic=topic, id=topic.revision_id or 0)
    counted = Topic.objects.filter(id=topic.id).aggregate(
        matches=Count("match", distinct=True),
        followers=Count("subscription", filter=Q(subscription__ended_at=None), distinct=True),
    )
    followers = counted["followers"] if counted["followers"] >= FEWEST else None
    return Shown(
        topic.id,
        topic.name or "",
        topic.slug or "",
        revision.query or "",
        revision.n,
        topic.state,
        counted["matches"],
        followers,
    )


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold()
    return regex.sub(r"[^\p{L}\p{M}\p{N}]+", "-", plain).strip("-")


def _bad_name(name: str) -> Refused | None:
    if not name or not _slug(name):
        return Refused("a topic needs a name with a letter in it")
    return Refused(f"the name is longer than {LONGEST_NAME} characters") if len(name) > LONGEST_NAME else None


def _bad_query(query: str) -> Refused | None:
    try:
        queries.parse(query)
    except queries.QueryError as error:
        return Refused(f"the query cannot be used, column {error.column}: {error.hint}")
    return None
