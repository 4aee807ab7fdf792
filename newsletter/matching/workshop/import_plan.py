"""What an import of topics would do, line by line, before it is done. `import_export.py` does it."""

from dataclasses import dataclass
from typing import Final, Literal

from newsletter.lib.refused import Refused
from newsletter.matching.topics import import_export, revisions
from newsletter.matching.topics.lookup import description_problem, find_topic, name_problem, slug_of
from newsletter.matching.topics.yaml_file import TopicDescription
from newsletter.matching.workshop.revision_diff import RevisionDiff, revision_diff
from newsletter.models import Topic

Outcome = Literal["refused", "changed", "new", "unchanged"]
_ORDER: Final = ("refused", "changed", "new", "unchanged")


@dataclass(frozen=True)
class PlannedTopic:
    """One topic of a file: what would become of it. `why`: what is wrong, or what else than the query changes."""

    line: int
    name: str
    outcome: Outcome
    why: str = ""
    diff: RevisionDiff | None = None


@dataclass(frozen=True)
class ImportPlan:
    """The topics of a file, those that need a look first."""

    topics: tuple[PlannedTopic, ...]

    def count(self, outcome: Outcome) -> int:
        """How many topics have this outcome."""
        return sum(topic.outcome == outcome for topic in self.topics)

    @property
    def does_something(self) -> bool:
        """Whether an import would add or change anything."""
        return any(topic.outcome in ("new", "changed") for topic in self.topics)


def plan_import(data: bytes) -> ImportPlan | Refused:
    """What `import_topics` would do with this file if it may change topics. Stores nothing."""
    read = import_export.read_file(data)
    if isinstance(read, Refused):
        return read
    planned = [PlannedTopic(problem.line, "", "refused", problem.reason) for problem in read.problems]
    lines: dict[str, int] = {}
    for described in read.topics:
        first = lines.setdefault(slug_of(described.name), described.line)
        if first != described.line:
            planned.append(_refused(described, import_export.repeated(first)))
        else:
            planned.append(_plan(described))
    return ImportPlan(tuple(sorted(planned, key=lambda topic: (_ORDER.index(topic.outcome), topic.line))))


def _plan(described: TopicDescription) -> PlannedTopic:
    refusal = name_problem(described.name) or description_problem(described.description or "")
    if refusal is not None:
        return _refused(described, refusal.reason)
    topic = find_topic(described.name)
    if topic is None:
        return _plan_new(described)
    live = revisions.live_revision(topic)
    change = import_export.change_of(described, live)
    others = _others(described, topic)
    if change is None:
        outcome: Outcome = "changed" if others else "unchanged"
        return PlannedTopic(described.line, described.name, outcome, ", ".join(others))
    draft = revisions.changed_draft(described.name, change)
    if isinstance(draft, Refused):
        return _refused(described, draft.reason)
    diff = revision_diff((live.query or "", live.packs, live.without), (draft.query, draft.versions, draft.off))
    return PlannedTopic(described.line, described.name, "changed", ", ".join(others), diff)


def _plan_new(described: TopicDescription) -> PlannedTopic:
    if Topic.objects.filter(kind=Topic.Kind.CURATED, slug=slug_of(described.name)).exists():
        return _refused(described, "a retired topic has this name: restore it, or choose another name")
    draft = revisions.new_draft(described.query, packs=described.packs, off=described.without)
    if isinstance(draft, Refused):
        return _refused(described, draft.reason)
    return PlannedTopic(described.line, described.name, "new", draft.query)


def _others(described: TopicDescription, topic: Topic) -> list[str]:
    """What the file says otherwise besides the query, packs and spellings."""
    said = []
    if described.description is not None and described.description != topic.description:
        said.append("the description")
    if described.urgent != topic.urgent:
        said.append("urgent" if described.urgent else "not urgent")
    return said


def _refused(described: TopicDescription, reason: str) -> PlannedTopic:
    return PlannedTopic(described.line, described.name, "refused", reason)
