"""Find curated topics by name, check names, and tell workers that topics changed."""

import unicodedata
from collections.abc import Iterable

import regex
from django.db.models import F, Q

from newsletter.audit.record import Thing
from newsletter.lib.refused import Refused
from newsletter.models import IndexState, Topic, TopicRevision

LONGEST_NAME = 80
LONGEST_DESCRIPTION = 200


def find_topic(name: str) -> Topic | None:
    """The active topic of this name or slug, in any case. Returns None if there is none."""
    wanted = " ".join(name.split())
    active = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE)
    return active.filter(Q(name__iexact=wanted) | Q(slug=slug_of(wanted))).order_by("id").first()


def active_names() -> dict[int, str]:
    """Topic id → name of every topic that can be followed, by name."""
    active = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).order_by("name")
    return {topic_id: name or "" for topic_id, name in active.values_list("id", "name")}


def live_revisions(topics: Iterable[Topic]) -> dict[int, TopicRevision]:
    """Topic id → the revision that the topic is matched by."""
    topics = list(topics)
    revisions = TopicRevision.objects.in_bulk([topic.revision_id for topic in topics if topic.revision_id is not None])
    return {topic.id: revisions[topic.revision_id] for topic in topics if topic.revision_id is not None}


def thing_of(topic: Topic) -> Thing:
    """A curated topic in the audit log."""
    return Thing("topic", topic.id, topic.name or "")


def no_such_topic() -> Refused:
    """The answer if no topic has that name."""
    return Refused("there is no such topic: see 'newsletter topics list'")


def slug_of(name: str) -> str:
    """A name in the form for URLs: letters, marks and digits of any script, and hyphens."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return regex.sub(r"[^\p{L}\p{M}\p{N}]+", "-", plain).strip("-")


def name_problem(name: str) -> Refused | None:
    """Why a topic cannot have this name. Returns None if it can."""
    if not name or not slug_of(name):
        return Refused("a topic needs a name with a letter in it")
    return Refused(f"the name is longer than {LONGEST_NAME} characters") if len(name) > LONGEST_NAME else None


def description_problem(description: str) -> Refused | None:
    """Why a topic cannot have this description. Returns None if it can; it may be empty."""
    if len(description.splitlines()) > 1:
        return Refused("the description has several lines: write it on one")
    if len(description) > LONGEST_DESCRIPTION:
        return Refused(f"the description has {len(description)} characters: {LONGEST_DESCRIPTION} is the most")
    return None


def bump_index_version() -> None:
    """Tell every worker that its index is out of date. Call it in the transaction of the change."""
    IndexState.objects.filter(id=1).update(number=F("number") + 1)
