"""What entry points write to the audit log."""

import pytest

from newsletter.delivery.feedback import reputation, suppression_list
from newsletter.delivery.gates import circuit_breaker, provider_gate, sending_gate
from newsletter.delivery.routing import rules
from newsletter.delivery.routing.rules import RoutingRule
from newsletter.feeds.catalogue import manage
from newsletter.lib.mail.provider_interface import Unknown
from newsletter.lib.refused import Refused
from newsletter.matching.topics import hold, revisions, topics
from newsletter.matching.topics.revisions import TopicChange, TopicDraft
from newsletter.models import AuditEntry, Feed, IndexState, TopicRevision
from tests import factories
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


def test_a_feed_tells_what_was_decided() -> None:
    factories.item("Harbour")
    feed = Feed.objects.get()
    manage.pause(feed.id, now=NOW, actor=ACTOR)
    manage.pause(feed.id, now=NOW, actor=ACTOR)
    manage.edit(feed.id, now=NOW, actor=ACTOR, cut="never")
    manage.mark_due(feed.id, now=NOW)
    manage.remove(feed.id, now=NOW, actor=ACTOR)
    assert [action for action, _, _ in rows()] == ["feed.pause", "feed.edit", "feed.remove"]
    assert rows()[1][1:] == ({"cut": "auto"}, {"cut": "never"})


def test_gates_and_routes_tell_who_closed_them_and_why() -> None:
    factories.open_gate()
    assert isinstance(sending_gate.pause("anna@example.org complained", now=NOW, actor=ACTOR), Refused)
    sending_gate.pause("wrong postal address", now=NOW, actor=ACTOR)
    sending_gate.resume(now=NOW, actor=ACTOR)
    provider_gate.pause(2, "moving", now=NOW, actor=ACTOR, by_hand=True)
    provider_gate.resume_what_closed_by_itself(now=NOW, actor=ACTOR)
    provider_gate.resume(2, now=NOW, actor=ACTOR)
    rules.store_rule(RoutingRule("*", 2, 30), now=NOW, actor=ACTOR)
    rules.delete_rule("*", now=NOW, actor=ACTOR)
    suppression_list.add(b"0" * 32, now=NOW, actor=ACTOR)
    suppression_list.lift(b"0" * 32, now=NOW, actor=ACTOR)
    assert [(action, after) for action, _, after in rows()] == [
        ("sending.pause", {"open": False, "because": "wrong postal address"}),
        ("sending.resume", {"open": True, "because": None}),
        ("provider.pause", {"open": False, "because": "moving"}),
        ("provider.resume", {"open": True}),
        ("route.choose", {"provider": "smtp", "share": 30}),
        ("route.forget", {}),
        ("suppression.add", {"because": "admin"}),
        ("suppression.lift", {}),
    ]
    assert AuditEntry.objects.get(action="sending.pause").reason == "wrong postal address"


def test_a_rule_writes_one_row_however_often_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.open_gate()
    monkeypatch.setattr(reputation, "_complaints", lambda now: "too many complaints")
    for _ in range(3):
        reputation.close_for_reputation(now=NOW, events_from=())
        circuit_breaker.record_answers(2, [Unknown("x")] * circuit_breaker.OPEN_AFTER, now=NOW)
    for _ in range(3 * circuit_breaker.OPEN_AFTER):
        circuit_breaker.record_answers(2, [Unknown("x")], now=NOW)
    written = AuditEntry.objects.order_by("id").values_list("actor_kind", "actor", "action")
    assert list(written) == [
        ("rule", "reputation", "sending.pause"),
        ("rule", "circuit breaker", "provider.leave_alone"),
    ]
