"""The audit log on a page: filters, what an editor does not see, undo, and the history of one thing."""

import pytest

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.matching.topics import hold, topics
from newsletter.models import AuditEntry, Topic
from newsletter.web.desk.audit.lines import history
from tests import factories
from tests.factories import ACTOR, NOW

RULE = Actor("rule", "reputation")


@pytest.fixture
def changes(db) -> None:
    record(ACTOR, "feed.edit", Thing("feed", 7, "Harbour"), now=NOW, before={"cut": "auto"}, after={"cut": "never"})
    record(RULE, "sending.pause", Thing("sending"), now=NOW, after={"open": False}, reason="<b>too many</b>")
    record(ACTOR, "subscriber.erase", Thing("subscriber", 12), now=NOW)
    record(ACTOR, "strange.deed", Thing("strange", 3), now=NOW)


def body(client, query: str = "") -> str:
    answer = client.get(f"/desk/audit/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_change_is_a_line_in_words(as_owner, changes) -> None:
    html = body(as_owner)
    assert "changed the feed" in html and "<del>auto</del>" in html and "<ins>never</ins>" in html
    assert "erased <b><bdi>subscriber 12</bdi></b>" in html
    assert "&lt;b&gt;too many" in html and '<span class="by">rule</span>' in html
    assert "strange: deed" in html


def test_an_editor_sees_nothing_about_people(as_editor, changes) -> None:
    html = body(as_editor)
    assert "Harbour" in html and "subscriber" not in html.partition("<h1>")[2].replace("a subscriber", "")
    assert "erased" not in body(as_editor, "?kind=subscriber&number=12")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?actor=tests&kind=feed", 1),
        ("?name=arbou", 1),
        ("?number=7&kind=feed", 1),
        ("?until=2026-11-23", 0),
        ("?since=2026-11-24&until=2026-11-24", 4),
        ("?since=nonsense&after=x&number=-1", 4),
        ("?actor=nobody", 0),
    ],
)
def test_the_address_bar_is_the_filter(as_owner, changes, query, shown) -> None:
    html = body(as_owner, query)
    assert html.count('id="entry-') == shown
    assert ("No change fits this filter" in html) == (not shown)


def test_older_lines_are_on_the_next_page_at_the_same_cost(as_editor, db, django_assert_max_num_queries) -> None:
    for number in range(60):
        record(ACTOR, "topic.hold", Thing("topic", number, f"Topic {number}"), now=NOW)
    with django_assert_max_num_queries(12):
        first = body(as_editor, "?actor=tests")
    assert first.count('id="entry-') == 50
    after = AuditEntry.objects.order_by("-id")[49].id
    assert f"?actor=tests&amp;after={after}" in first
    assert body(as_editor, f"?actor=tests&after={after}").count('id="entry-') == 10


def test_what_was_done_last_can_be_undone_once(as_editor, db) -> None:
    factories.topic("Cable")
    topics.set_description("Cable", "Old", now=NOW, actor=ACTOR)
    topics.set_description("Cable", "New", now=NOW, actor=ACTOR)
    first, last = AuditEntry.objects.order_by("id")
    assert body(as_editor).count(">Undo<span") == 1
    too_late = as_editor.post(f"/desk/audit/{first.id}/undo/", {"back": "/desk/audit/"}, follow=True)
    assert "cannot be undone any more" in too_late.content.decode()
    done = as_editor.post(f"/desk/audit/{last.id}/undo/", {"back": "/desk/audit/?kind=topic"})
    assert (done.status_code, done.url) == (303, "/desk/audit/?kind=topic")
    assert Topic.objects.get().description == "Old"
    assert AuditEntry.objects.order_by("-id")[0].actor == "ed"
    assert as_editor.post("/desk/audit/99999/undo/").status_code == 404


def test_a_hold_is_undone_on_the_page_of_the_topic(owner, as_editor) -> None:
    topic = factories.topic("Cable")
    hold.hold("Cable", now=NOW, actor=ACTOR)
    (line,) = history("topic", topic.id, owner)
    assert not line.undoable and line.what == "put a hold on the topic"
    hold.release("Cable", mail=False, now=NOW, actor=ACTOR)
    released, held = history("topic", topic.id, owner)
    html = as_editor.get(f"/desk/topics/{topic.id}/history/").content.decode()
    assert "Everything that was done to this topic" in html and html.count("the topic") >= 2
    assert released.undoable and not held.undoable


def test_a_history_of_a_person_is_for_owners(owner, editor, changes) -> None:
    assert history("subscriber", 12, owner) and not history("subscriber", 12, editor)


def test_an_empty_log_says_what_will_come(as_editor) -> None:
    assert "Nothing was changed yet" in body(as_editor)
