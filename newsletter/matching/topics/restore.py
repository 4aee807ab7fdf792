"""Bring a retired topic back."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.lib.refused import Refused
from newsletter.matching.topics import revisions
from newsletter.matching.topics.lookup import slug_of, thing_of
from newsletter.matching.topics.revisions import SavedRevision
from newsletter.models import Topic


def restore_topic(name: str, *, now: datetime, actor: Actor) -> SavedRevision | Refused:
    """Match a retired topic again, as a new revision. Its subscriptions stay ended, and nobody is mailed old items.

    The revision is new because what came while it was retired must not be owed: a topic owes items from its revision on.
    """
    with transaction.atomic():
        retired = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.RETIRED, slug=slug_of(name))
        topic = retired.select_for_update().first()
        if topic is None:
            return Refused("there is no retired topic of that name: see 'newsletter topics list'")
        live = revisions.live_revision(topic)
        refusal = revisions.query_problem(live.query or "")
        if refusal is not None:
            return refusal
        Topic.objects.filter(id=topic.id).update(state=Topic.State.ACTIVE, held_since=None)
        draft = replace(revisions.draft_of(live), note="restored")
        made = revisions.write_revision(topic, live.n + 1, draft, now=now, actor=actor)
        before, after = {"state": Topic.State.RETIRED}, {"state": Topic.State.ACTIVE, "revision": made.n}
        record(actor, "topic.restore", thing_of(topic), now=now, before=before, after=after)
        return SavedRevision(topic.id, made.n)
