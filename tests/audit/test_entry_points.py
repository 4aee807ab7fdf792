"""What entry points write to the audit log."""

import pytest

from newsletter.matching.topics import hold, revisions, topics
from newsletter.matching.topics.revisions import TopicChange, TopicDraft
from newsletter.models import AuditEntry, IndexState, TopicRevision
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db


def rows() -> list[tuple[str, dict, dict]]:
    return [(row.action, row.before, row.after) for row in AuditEntry.objects.order_by("id")]


def test_a_topic_tells_its_whole_story() -> None:
    IndexState.objects.get_or_create(id=1)
    topics.add_topic("Cable", "cable", now=NOW, actor=ACTOR)
    draft = revisions.changed_draft("Cable", TopicChange("cable OR wire", packs=()))
    assert isinstance(draft, TopicDraft)
    revisions.save_draft("Cable", draft, now=NOW, actor=ACTOR)
    hold.hold("Cable", now=NOW, actor=ACTOR)
    hold.release("Cable", mail=False, now=NOW, actor=ACTOR)
    topics.set_urgent("Cable", True, now=NOW, actor=ACTOR)
    topics.set_urgent("Cable", True, now=NOW, actor=ACTOR)
    topics.set_description("Cable", "Cables of all kinds", now=NOW, actor=ACTOR)
    topics.retire_topic("Cable", now=NOW, actor=ACTOR)
    written = rows()
    assert [action for action, _, _ in written] == [
        "topic.add",
        "topic.edit",
        "topic.hold",
        "topic.release",
        "topic.urgent",
        "topic.describe",
        "topic.retire",
    ]
    _, before, after = written[1]
    assert (before["revision"], before["query"]) == (1, "cable")
    assert (after["revision"], after["query"]) == (2, "cable OR wire")
    assert {row.object_name for row in AuditEntry.objects.all()} == {"Cable"}
    assert set(TopicRevision.objects.values_list("made_by", flat=True)) == {ACTOR.name}
