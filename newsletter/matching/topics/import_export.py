"""Import and export curated topics as a file. Readers' keywords are secrets, and never in such a file."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.lib.progress import Progress, no_progress
from newsletter.lib.refused import Refused
from newsletter.matching.aliases.groups import contains_spelling
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.topics import hold, limits, preview, revisions, topics, yaml_file
from newsletter.matching.topics.lookup import description_problem, find_topic, live_revisions, slug_of
from newsletter.matching.topics.revisions import SavedRevision, TopicChange, TopicDraft
from newsletter.matching.topics.yaml_file import TopicDescription, TopicFile, TopicFileProblem
from newsletter.models import Topic, TopicRevision

#: The largest file that is read, in bytes.
MAX_BYTES = 5_000_000


@dataclass(frozen=True)
class DifferentTopic:
    """A topic that differs from the file on `line`. `gained`, `lost`: how many stored items of 90 days a change would affect."""

    line: int
    name: str
    gained: int
    lost: int


@dataclass
class ImportResult:
    """What an import did: ids of the topics, how many were equal, what differs and was left, what could not be done."""

    added: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    unchanged: int = 0
    different: list[DifferentTopic] = field(default_factory=list)
    problems: list[TopicFileProblem] = field(default_factory=list)


def export_topics() -> list[TopicDescription]:
    """All active curated topics as a file describes them, by name."""
    active = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).order_by("name", "id")
    live = live_revisions(active)
    return [_describe(topic, live[topic.id]) for topic in active]


def import_topics(
    data: bytes, *, now: datetime, actor: Actor, yes: bool = False, progress: Progress = no_progress
) -> ImportResult | Refused:
    """Add the topics of a file, each in a transaction of its own. One that cannot be added does not stop the others.

    A topic that is there is changed only with `yes`, as is one added that would bring more than 30 items a day. Nobody is
    mailed old items. `progress` hears how many of how many are done.
    """
    read = read_file(data)
    if isinstance(read, Refused):
        return read
    done = ImportResult(problems=list(read.problems))
    lines: dict[str, int] = {}
    for number, described in enumerate(read.topics, 1):
        first = lines.setdefault(slug_of(described.name), described.line)
        if first != described.line:
            done.problems.append(TopicFileProblem(described.line, repeated(first)))
        elif (reason := _import(described, done, now, actor, yes)) is not None:
            done.problems.append(TopicFileProblem(described.line, reason))
        progress(number, len(read.topics))
    done.problems.sort(key=lambda problem: problem.line)
    return done


def read_file(data: bytes) -> TopicFile | Refused:
    """The topics of a file that is small enough."""
    if len(data) > MAX_BYTES:
        return Refused(f"it is larger than {MAX_BYTES // 1_000_000} MB: split it into smaller files")
    read = yaml_file.read_topic_file(data)
    return Refused(read.reason) if isinstance(read, yaml_file.NotATopicFile) else read


def repeated(first: int) -> str:
    """Why a topic that stands on line `first` as well is not imported."""
    return f"the topic stands on line {first} already"


def _describe(topic: Topic, live: TopicRevision) -> TopicDescription:
    return TopicDescription(
        name=topic.name or "",
        query=live.query or "",
        description=topic.description or None,
        packs=tuple(sorted(live.packs)),
        without=tuple(live.without),
        urgent=topic.urgent,
        held=topic.held_since is not None,
    )


def _import(described: TopicDescription, done: ImportResult, now: datetime, actor: Actor, yes: bool) -> str | None:
    """Do what the file says of one topic, and count it; the reason when that cannot be done."""
    topic = find_topic(described.name)
    if topic is None:
        return _add(described, done, now, actor, yes)
    live = revisions.live_revision(topic)
    change = change_of(described, live)
    description = topic.description if described.description is None else described.description
    if refusal := description_problem(description):
        return refusal.reason
    if change is None and (topic.urgent, topic.description) == (described.urgent, description):
        done.unchanged += 1
        return None
    draft = revisions.changed_draft(described.name, change) if change else None
    if isinstance(draft, Refused):
        return draft.reason
    if not yes:
        result = preview.preview_draft(draft, revisions.draft_of(live), now=now) if draft else None
        gained, lost = (result.gained, result.lost) if result else (0, 0)
        done.different.append(DifferentTopic(described.line, described.name, gained, lost))
        return None
    with transaction.atomic():
        saved = revisions.save_draft(described.name, draft, now=now, actor=actor) if draft else None
        if isinstance(saved, Refused):
            return saved.reason
        topics.set_urgent(described.name, described.urgent, now=now, actor=actor)
        topics.set_description(described.name, description, now=now, actor=actor)
    done.changed.append(topic.id)
    return None


def _add(described: TopicDescription, done: ImportResult, now: datetime, actor: Actor, yes: bool) -> str | None:
    draft = revisions.new_draft(described.query, packs=described.packs, off=described.without)
    if isinstance(draft, Refused):
        return draft.reason
    if not yes and (per_day := preview.preview_draft(draft, now=now).after.per_day) > limits.MANY_PER_DAY:
        return f"it would bring {per_day:.0f} items a day: narrow the query, or add --yes if that is meant"
    made = _made(described, draft, now, actor)
    if isinstance(made, Refused):
        return made.reason
    done.added.append(made.topic_id)
    return None


def _made(described: TopicDescription, draft: TopicDraft, now: datetime, actor: Actor) -> SavedRevision | Refused:
    with transaction.atomic():
        made = topics.add_draft(described.name, draft, now=now, actor=actor, description=described.description or "")
        if not isinstance(made, Refused):
            topics.set_urgent(described.name, described.urgent, now=now, actor=actor)
            if described.held:
                hold.hold(described.name, now=now, actor=actor)
        return made


def change_of(described: TopicDescription, live: TopicRevision) -> TopicChange | None:
    """What the file says otherwise than the live revision; None when that is the same. Versions of packs are not compared."""
    packs = topic_aliases.available_packs() if described.packs is None else described.packs
    off = tuple(word for word in described.without if not contains_spelling(live.without, word))
    on = tuple(word for word in live.without if not contains_spelling(described.without, word))
    same = (described.query, set(packs)) == (live.query, set(live.packs)) and not off and not on
    return None if same else TopicChange(described.query, packs, off, on)
