"""Add and retire curated topics, and find or make the topic that all who follow the same keyword share."""

from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from newsletter.audit.actor import Actor
from newsletter.audit.record import record, record_difference
from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.lib.refused import Refused
from newsletter.matching.live_index import keyword_hashes
from newsletter.matching.query import language
from newsletter.matching.topics import lookup, revisions
from newsletter.matching.topics.lookup import (
    bump_index_version,
    description_problem,
    name_problem,
    no_such_topic,
    slug_of,
    thing_of,
)
from newsletter.matching.topics.revisions import SavedRevision
from newsletter.models import Subscription, Topic, TopicRevision


def add_topic(name: str, query: str, *, now: datetime, actor: Actor, description: str = "") -> SavedRevision | Refused:
    """Add a curated topic. Items seen from now on are owed to its followers; stored ones are matched, and not mailed."""
    draft = revisions.new_draft(query)
    return (
        draft if isinstance(draft, Refused) else add_draft(name, draft, now=now, actor=actor, description=description)
    )


def add_draft(
    name: str, draft: revisions.TopicDraft, *, now: datetime, actor: Actor, description: str = ""
) -> SavedRevision | Refused:
    """`add_topic` with a draft, which may have been previewed."""
    name = " ".join(name.split())
    description = description.strip()
    refusal = name_problem(name) or description_problem(description)
    if refusal:
        return refusal
    slug = slug_of(name)
    try:
        with transaction.atomic():
            if Topic.objects.filter(Q(name__iexact=name) | Q(slug=slug), kind=Topic.Kind.CURATED).exists():
                return Refused("a topic of that name exists: see 'newsletter topics list', or choose another name")
            topic = Topic.objects.create(
                kind=Topic.Kind.CURATED, name=name, slug=slug, description=description, created_at=now
            )
            made = revisions.write_revision(topic, 1, draft, now=now, actor=actor)
            after = {"description": description, **revisions.as_columns(made)}
            record(actor, "topic.add", thing_of(topic), now=now, after=after)
    except IntegrityError:
        return Refused("a topic of that name was added a moment ago: see 'newsletter topics list'")
    return SavedRevision(topic.id, 1)


def set_description(name: str, description: str, *, now: datetime, actor: Actor) -> SavedRevision | Refused:
    """Change what subscribers read about a topic. This makes no revision: nothing is matched differently."""
    description = description.strip()
    refusal = description_problem(description)
    if refusal:
        return refusal
    return _change(name, "topic.describe", "description", description, actor, now)


def set_urgent(name: str, urgent: bool, *, now: datetime, actor: Actor) -> SavedRevision | Refused:
    """Mark a topic urgent, or not any more: an alert on it that stays in doubt for two hours is sent once more."""
    return _change(name, "topic.urgent", "urgent", urgent, actor, now)


def retire_topic(name: str, *, now: datetime, actor: Actor) -> SavedRevision | Refused:
    """Stop matching a topic and end its subscriptions. Planned mail is still sent."""
    with transaction.atomic():
        topic = lookup.find_topic(name)
        if topic is None:
            return no_such_topic()
        Topic.objects.filter(id=topic.id).update(state=Topic.State.RETIRED)
        live = Subscription.objects.filter(topic=topic, ended_at=None)
        live.update(ended_at=now, ended_reason=Subscription.EndedReason.RETIRED, changed_at=now)
        before, after = {"state": Topic.State.ACTIVE}, {"state": Topic.State.RETIRED}
        record(actor, "topic.retire", thing_of(topic), now=now, before=before, after=after)
        bump_index_version()
        return SavedRevision(topic.id, revisions.live_revision(topic).n)


def keyword_topic(keyword: str, *, vault: Vault, now: datetime) -> int:
    """The id of the topic of a keyword, which everybody who follows the keyword shares; it is made if there is none.

    Raises:
        QueryError: it cannot be followed. The error does not contain it.
    """
    plain = language.parse_keyword(keyword)
    index = vault.blind_index("query", language.normalize_query(plain))
    topic = _locked_topic(index)
    if topic is None:
        key_id, cipher = vault.encrypt(plain, handle=index, column="query")
        try:
            with transaction.atomic():
                topic = Topic.objects.create(
                    kind=Topic.Kind.OWN, query_index=index, query_cipher=cipher, key_id=key_id, created_at=now
                )
                revision = TopicRevision.objects.create(topic=topic, n=1, made_at=now, made_by="reader")
                Topic.objects.filter(id=topic.id).update(revision_id=revision.id)
                bump_index_version()
                keyword_hashes.store_keyword_hashes({topic.id: plain}, keyword_hashes.hashed_languages(), vault)
        except IntegrityError:  # somebody typed the same at this moment
            topic = Topic.objects.get(kind=Topic.Kind.OWN, query_index=index)
    elif topic.state != Topic.State.ACTIVE:
        Topic.objects.filter(id=topic.id).update(state=Topic.State.ACTIVE)
        bump_index_version()
    return topic.id


def _change(name: str, action: str, column: str, value: object, actor: Actor, now: datetime) -> SavedRevision | Refused:
    with transaction.atomic():
        topic = lookup.find_topic(name)
        if topic is None:
            return no_such_topic()
        before = {column: getattr(topic, column)}
        if record_difference(actor, action, thing_of(topic), now=now, before=before, after={column: value}):
            Topic.objects.filter(id=topic.id).update(**{column: value})
        return SavedRevision(topic.id, revisions.live_revision(topic).n)


def _locked_topic(index: bytes) -> Topic | None:
    """The keyword topic with this blind index, locked until the transaction ends, so that it is not deleted meanwhile."""
    lock = "FOR KEY SHARE" if db.is_postgres() else ""
    rows = Topic.objects.raw(f"SELECT * FROM topic WHERE kind='own' AND query_index=%s {lock}", [index])
    return next(iter(rows), None)


def keywords(topic_ids: Collection[int], *, vault: Vault) -> dict[int, str]:
    """Topic id → the keyword as it was first typed, for keyword topics."""
    return {topic.id: topic.keyword(vault) for topic in Topic.objects.filter(id__in=topic_ids, kind=Topic.Kind.OWN)}
