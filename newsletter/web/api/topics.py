"""Topics: listed, added, previewed, changed in revisions, held and released."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Path, Router, Status
from pydantic import Field

from newsletter import wiring
from newsletter.lib import db
from newsletter.matching.topics import hold, preview, revisions, topic_status, topics
from newsletter.matching.topics.revisions import TopicChange, TopicDraft
from newsletter.matching.topics.topic_status import TopicStatus
from newsletter.models import Topic
from newsletter.web.api.operation import Scope, actor_of, operation
from newsletter.web.api.paging import After, ApiPage, Limit, page_of
from newsletter.web.api.problems import missing, or_refused
from newsletter.web.api.schema import ApiSchema, Id, LongText, People, Text

router = Router(tags=["topics"])


class TopicOut(ApiSchema):
    """A topic. `state` is active, held or retired."""

    id: int = Field(examples=[7])
    name: str = Field(examples=["Uyghur"])
    slug: str = Field(examples=["uyghur"])
    description: str = Field(examples=["Uyghur life, language and culture"])
    query: str = Field(examples=["Uyghur OR Uighur"])
    packs: dict[str, int] = Field(examples=[{"peoples": 3}])
    without: list[str] = Field(examples=[["Uigur"]])
    revision: int = Field(examples=[4])
    state: str = Field(examples=["active"])
    matches: int = Field(examples=[62])
    followers: People


class TopicQuery(ApiSchema):
    """A query. Without `packs`, the spellings of all alias packs match too; `without` switches spellings off."""

    query: LongText = Field(examples=["Uyghur OR Uighur"])
    packs: list[Text] | None = Field(None, examples=[["peoples"]])
    without: list[Text] = Field([], examples=[["Uigur"]])


class TopicIn(TopicQuery):
    """A topic to add."""

    name: Text = Field(examples=["Uyghur"])
    description: Text = Field("", examples=["Uyghur life, language and culture"])


class RevisionIn(ApiSchema):
    """A change of a topic; what is left out stays. `without` and `again` switch spellings off and on again."""

    query: LongText | None = Field(None, examples=["Uyghur OR Uighur"])
    packs: list[Text] | None = Field(None, examples=[["peoples"]])
    without: list[Text] = Field([], examples=[[]])
    again: list[Text] = Field([], examples=[["Uigur"]])


class TopicChangeIn(ApiSchema):
    """What to change besides the query."""

    description: Text | None = Field(None, examples=["Uyghur life, language and culture"])
    urgent: bool | None = Field(None, examples=[False])


class RevisionOut(ApiSchema):
    """A revision of a topic."""

    revision: int = Field(examples=[4])
    query: str = Field(examples=["Uyghur OR Uighur"])
    packs: dict[str, int] = Field(examples=[{"peoples": 3}])
    without: list[str] = Field(examples=[["Uigur"]])
    made_at: datetime = Field(examples=["2026-11-24T09:00:00Z"])
    made_by: str = Field(examples=["maria"])
    note: str = Field(examples=[""])


class PreviewRate(ApiSchema):
    """How much a query matches."""

    items: int = Field(examples=[62])
    per_week: float = Field(examples=[4.8])
    per_day: float = Field(examples=[0.7])
    busiest_day: int = Field(examples=[3])


class PreviewWeek(ApiSchema):
    """Items of a week."""

    monday: date = Field(examples=["2026-11-16"])
    before: int = Field(examples=[4])
    after: int = Field(examples=[5])


class PreviewSample(ApiSchema):
    """An item that is gained or lost."""

    item_id: int = Field(examples=[12])
    title: str = Field(examples=["A hearing on forced labour"])
    at: datetime = Field(examples=["2026-11-24T09:00:00Z"])


class PreviewOut(ApiSchema):
    """What a query matches of the stored items, beside what the topic matches now."""

    days: int = Field(examples=[90])
    items: int = Field(examples=[2140])
    before: PreviewRate | None
    after: PreviewRate
    gained: int = Field(examples=[7])
    lost: int = Field(examples=[0])
    weeks: list[PreviewWeek]
    samples_gained: list[PreviewSample]
    samples_lost: list[PreviewSample]
    followers: People | None


class HoldOut(ApiSchema):
    """The topic is on hold; so many matches wait."""

    waiting: int = Field(examples=[3])


class ReleaseIn(ApiSchema):
    """`mail`: what was collected during the hold is mailed, too."""

    mail: bool = Field(False, examples=[False])


class ReleaseOut(ApiSchema):
    """The hold has ended; so many matches are mailed, and so many to nobody."""

    owed: int = Field(examples=[3])
    dropped: int = Field(examples=[0])


@operation(router, "GET", "/topics", Scope.READ, ApiPage[TopicOut])
def list_topics(request: HttpRequest, after: After = None, limit: Limit = 25) -> Any:
    """List topics, also retired ones, by number."""
    every = topic_status.list_topics(small_number=wiring.config().small_number)
    rows, after = page_of(every, lambda row: row.topic_id, after, limit)
    return {"rows": list(map(_out, rows)), "after": after}


@operation(router, "POST", "/topics", Scope.TOPICS, TopicOut, status=201)
def add_topic(request: HttpRequest, topic: TopicIn) -> Any:
    """Add a topic. New items that match are mailed; stored ones are not."""
    draft = _new_draft(topic)
    made = or_refused(
        topics.add_draft(topic.name, draft, now=db.now(), actor=actor_of(request), description=topic.description)
    )
    return Status(201, _topic(made.topic_id))


@operation(router, "POST", "/topics/preview", Scope.READ, PreviewOut, once=False)
def preview_query(request: HttpRequest, query: TopicQuery) -> Any:
    """Show which stored items of 90 days a query matches. Nothing is stored or mailed."""
    return _preview(preview.preview_draft(_new_draft(query), now=db.now()))


@operation(router, "GET", "/topics/{topic_id}", Scope.READ, TopicOut)
def show_topic(request: HttpRequest, topic_id: Path[Id]) -> Any:
    """Show one topic."""
    return _topic(topic_id)


@operation(router, "PATCH", "/topics/{topic_id}", Scope.TOPICS, TopicOut)
def edit_topic(request: HttpRequest, topic_id: Path[Id], change: TopicChangeIn) -> Any:
    """Change a topic's description, or whether it is urgent. This makes no revision."""
    name, now, actor = _active(topic_id), db.now(), actor_of(request)
    if change.description is not None:
        or_refused(topics.set_description(name, change.description, now=now, actor=actor))
    if change.urgent is not None:
        or_refused(topics.set_urgent(name, change.urgent, now=now, actor=actor))
    return _topic(topic_id)


@operation(router, "GET", "/topics/{topic_id}/revisions", Scope.READ, ApiPage[RevisionOut])
def list_revisions(request: HttpRequest, topic_id: Path[Id], after: After = None, limit: Limit = 25) -> Any:
    """List the revisions of a topic, the oldest first."""
    every = or_refused(revisions.history(_active(topic_id)))
    rows, after = page_of(every, lambda row: row.n, after, limit)
    return {"rows": [{**_revision(row), "revision": row.n} for row in rows], "after": after}


@operation(router, "POST", "/topics/{topic_id}/revisions", Scope.TOPICS, TopicOut, status=201)
def save_revision(request: HttpRequest, topic_id: Path[Id], change: RevisionIn) -> Any:
    """Change a topic's query, packs or spellings, as a new revision. Nobody is mailed old items."""
    name = _active(topic_id)
    or_refused(revisions.save_draft(name, _changed_draft(name, change), now=db.now(), actor=actor_of(request)))
    return Status(201, _topic(topic_id))


@operation(router, "POST", "/topics/{topic_id}/preview", Scope.READ, PreviewOut, once=False)
def preview_revision(request: HttpRequest, topic_id: Path[Id], change: RevisionIn) -> Any:
    """Show what a change of a topic would do. Nothing is stored or mailed."""
    name = _active(topic_id)
    draft, small_number = _changed_draft(name, change), wiring.config().small_number
    return _preview(or_refused(preview.preview_topic(name, draft, now=db.now(), small_number=small_number)))


@operation(router, "POST", "/topics/{topic_id}/hold", Scope.TOPICS, HoldOut)
def hold_topic(request: HttpRequest, topic_id: Path[Id]) -> Any:
    """Collect a topic's matches without mailing them, until it is released."""
    held = or_refused(hold.hold(_active(topic_id), now=db.now(), actor=actor_of(request)))
    return {"waiting": held.waiting}


@operation(router, "POST", "/topics/{topic_id}/release", Scope.TOPICS, ReleaseOut)
def release_topic(request: HttpRequest, topic_id: Path[Id], release: ReleaseIn) -> Any:
    """End a hold. What was owed before is mailed; what was collected only with `mail`."""
    done = or_refused(hold.release(_active(topic_id), mail=release.mail, now=db.now(), actor=actor_of(request)))
    return {"owed": done.owed, "dropped": done.dropped}


@operation(router, "POST", "/topics/{topic_id}/retire", Scope.TOPICS, TopicOut)
def retire_topic(request: HttpRequest, topic_id: Path[Id]) -> Any:
    """Stop a topic and end its subscriptions."""
    or_refused(topics.retire_topic(_active(topic_id), now=db.now(), actor=actor_of(request)))
    return _topic(topic_id)


def _topic(topic_id: int) -> TopicOut:
    every = topic_status.list_topics(small_number=wiring.config().small_number)
    found = next((row for row in every if row.topic_id == topic_id), None)
    if found is None:
        raise missing("topic")
    return _out(found)


def _active(topic_id: int) -> str:
    """The name of a topic that can be changed."""
    active = Topic.objects.filter(id=topic_id, kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE)
    name = active.values_list("name", flat=True).first()
    if name is None:
        raise missing("active topic")
    return name


def _out(row: TopicStatus) -> TopicOut:
    columns = {name: getattr(row, name) for name in TopicOut.model_fields if name not in ("id", "followers", "without")}
    followers = People(shown=row.followers.shown, fewer_than=row.followers.threshold)
    return TopicOut(id=row.topic_id, followers=followers, without=list(row.without), **columns)


def _revision(row: revisions.Revision) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in RevisionOut.model_fields if name != "revision"}


def _new_draft(query: TopicQuery) -> TopicDraft:
    return or_refused(revisions.new_draft(query.query, packs=query.packs, off=tuple(query.without)))


def _changed_draft(name: str, change: RevisionIn) -> TopicDraft:
    changed = TopicChange(change.query, change.packs, tuple(change.without), tuple(change.again))
    return or_refused(revisions.changed_draft(name, changed))


def _preview(effect: preview.TopicPreview) -> dict[str, Any]:
    def samples(rows: tuple[preview.SampleItem, ...]) -> list[dict[str, Any]]:
        return [{"item_id": row.item_id, "title": row.title, "at": row.at} for row in rows]

    return {
        "days": effect.days,
        "items": effect.items,
        "before": vars(effect.before) if effect.before else None,
        "after": vars(effect.after),
        "gained": effect.gained,
        "lost": effect.lost,
        "weeks": [vars(week) for week in effect.weeks],
        "samples_gained": samples(effect.samples_gained),
        "samples_lost": samples(effect.samples_lost),
        "followers": People.of(effect.followers),
    }
