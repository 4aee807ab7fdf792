"""Topics that change: drafts, previews, revisions that stored items meet, holds; nobody is mailed old items because of it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from newsletter.lib.refused import Refused
from newsletter.matching import match, rematch
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.live_index.stored_items import current_versions, load_items
from newsletter.matching.topics import hold, preview, revisions, topic_status, topics
from newsletter.matching.topics.revisions import SavedRevision, TopicChange, TopicDraft
from newsletter.models import AliasPack, Entry, IndexState, Item, Match, Topic, TopicRevision
from tests import factories
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db
NOW = factories.NOW
LATER = NOW + rematch.SETTLED


@pytest.fixture(autouse=True)
def _fresh() -> None:
    IndexState.objects.get_or_create(id=1)


def add(name: str, query: str, **other: object) -> int:
    made = topics.add_topic(name, query, now=NOW, **other, actor=ACTOR)
    assert isinstance(made, SavedRevision)
    return made.topic_id


def draft(query: str) -> TopicDraft:
    made = revisions.new_draft(query, packs=())
    assert isinstance(made, TopicDraft)
    return made


def change(name: str, now=NOW, **values: object) -> SavedRevision:
    made = revisions.changed_draft(name, TopicChange(**values))
    assert isinstance(made, TopicDraft), made
    saved = revisions.save_draft(name, made, now=now, actor=ACTOR)
    assert isinstance(saved, SavedRevision)
    return saved


def run(now=NOW) -> None:
    match.match_fresh(now=now, index=CurrentIndex(factories.VAULT))


def settle(now=NOW) -> None:
    while rematch.rematch(clock=lambda: now):
        pass


def fresh(title: str, **values: object) -> Item:
    item = factories.item(title, "Text.", seen=values.pop("seen", NOW))
    Item.objects.filter(id=item.id).update(matched_at=None, **values)
    return item


def states() -> dict[int, tuple[bool, bool]]:
    """Item → (owed, withdrawn)."""
    return {row.item_id: (row.owed_at is not None, row.withdrawn_at is not None) for row in Match.objects.all()}


def test_new_topic_matches_stored_items_without_owing_them() -> None:
    old = factories.item("Huawei then", seen=NOW - timedelta(days=3))
    ancient = factories.item("Huawei long ago", seen=NOW - timedelta(days=91))
    topic_id = add("Huawei", "Huawei")
    settle()
    assert states() == {old.id: (False, False)}
    row = Match.objects.get()
    assert (row.topic_id, row.item_version, row.receipt[0]["term"]) == (topic_id, 1, "Huawei")
    assert ancient.id not in states()
    settle(LATER)
    assert TopicRevision.objects.get().rematch == "done"


def test_widened_topic_owes_no_old_items_and_narrowed_topic_withdraws_matches() -> None:
    add("Cable", "cable")
    cable, ship = fresh("A cable"), fresh("A ship")
    run()
    assert states() == {cable.id: (True, False)}
    change("Cable", query="ship")
    settle()
    assert states() == {cable.id: (True, True), ship.id: (False, False)}
    new = fresh("Another ship", seen=NOW + timedelta(minutes=1))
    run(NOW + timedelta(minutes=1))
    assert states()[new.id] == (True, False)
    assert {row.revision_id for row in Match.objects.filter(withdrawn_at=None)} == {
        Topic.objects.values_list("revision_id", flat=True).get()
    }


def test_undone_change_restores_what_is_owed_and_other_changes_do_not() -> None:
    add("Cable", "cable")
    item = fresh("A cable")
    run()
    change("Cable", query="ship")
    settle()
    undone = revisions.restored_draft("Cable", 1)
    assert isinstance(undone, TopicDraft)
    assert undone.note == "as revision 1"
    assert revisions.save_draft("Cable", undone, now=NOW, actor=ACTOR) == SavedRevision(Topic.objects.get().id, 3)
    settle()
    assert states() == {item.id: (True, False)}
    change("Cable", query="ship")
    settle()
    change("Cable", query="cable OR rope")
    settle()
    assert states() == {item.id: (False, False)}


def test_change_undone_after_days_restores_nothing() -> None:
    add("Cable", "cable")
    item = fresh("A cable")
    run()
    change("Cable", query="ship")
    settle()
    change("Cable", query="cable", now=NOW + timedelta(days=2))
    settle(NOW + timedelta(days=2))
    assert states() == {item.id: (False, False)}


def test_rematch_resumes_after_a_crash_and_is_idempotent(monkeypatch) -> None:
    monkeypatch.setattr(rematch, "CHUNK", 2)
    items = [factories.item(f"Huawei {number}") for number in range(5)]
    add("Huawei", "Huawei")
    assert rematch.rematch(clock=lambda: NOW, chunks=1)
    assert set(states()) == {items[0].id, items[1].id}
    write = rematch._write

    def crash(*_args: object) -> rematch.Rematched:
        write(*_args)
        raise RuntimeError("a crash for this test")

    with monkeypatch.context() as broken:
        broken.setattr(rematch, "_write", crash)
        with pytest.raises(RuntimeError):
            rematch.rematch(clock=lambda: NOW, chunks=1)
    assert set(states()) == {items[0].id, items[1].id}
    settle()
    assert set(states()) == {item.id for item in items}
    TopicRevision.objects.update(rematch="todo", rematch_upto=0)
    before = list(Match.objects.order_by("id").values())
    settle()
    assert list(Match.objects.order_by("id").values()) == before


def test_two_workers_process_a_chunk_once(monkeypatch) -> None:
    item = factories.item("Huawei")
    add("Huawei", "Huawei")
    revision = TopicRevision.objects.get()
    rematch._chunk(revision, NOW)
    rematch._chunk(revision, NOW)
    assert states() == {item.id: (False, False)}


def test_items_matched_with_an_old_index_are_rematched() -> None:
    add("Cable", "cable")
    stale = CurrentIndex(factories.VAULT).get()
    change("Cable", query="ship")
    settle()
    ship, cable = (fresh(title, seen=NOW + timedelta(seconds=1)) for title in ("A ship", "A cable"))
    for item in (ship, cable):
        item.refresh_from_db()
        assert match._match(next(load_items(current_versions().filter(item=item))), stale, NOW) == (item == cable)
    settle(LATER - timedelta(seconds=1))
    assert states() == {cable.id: (True, False)}
    settle(LATER)
    assert states() == {cable.id: (True, True), ship.id: (True, False)}


def test_unreadable_revision_does_not_stop_others() -> None:
    item = factories.item("Huawei")
    add("Broken", "x")
    TopicRevision.objects.update(query="((")
    good = add("Good", "Huawei")
    settle()
    assert [(row.item_id, row.topic_id) for row in Match.objects.all()] == [(item.id, good)]


def test_draft_without_change_or_with_errors_is_refused() -> None:
    add("Cable", "cable")
    for made in (
        revisions.changed_draft("Cable", TopicChange(" cable ")),
        revisions.changed_draft("Cable", TopicChange("(")),
        revisions.changed_draft("Cable", TopicChange(packs=("nonsense",))),
        revisions.changed_draft("Cable", TopicChange(off=("nonsense",))),
        revisions.changed_draft("Nothing", TopicChange("x")),
        revisions.restored_draft("Cable", 9),
        revisions.restored_draft("Cable", 1),
    ):
        assert isinstance(made, Refused), made
        assert made.reason
    assert "Uigur" in revisions.changed_draft("Cable", TopicChange(off=("Uigurr",))).reason


def test_draft_of_an_older_revision_is_not_saved() -> None:
    add("Cable", "cable")
    one, two = (revisions.changed_draft("Cable", TopicChange(query)) for query in ("ship", "harbour"))
    assert isinstance(revisions.save_draft("Cable", one, now=NOW, actor=ACTOR), SavedRevision)
    refused = revisions.save_draft("Cable", two, now=NOW, actor=ACTOR)
    assert isinstance(refused, Refused)
    assert "preview your change again" in refused.reason


def test_revision_keeps_pack_versions_and_spellings_can_be_switched_off(settings, tmp_path) -> None:
    pack = "version: {}\ntitle: T\ngroups:\n  - {{id: lake, name: Lake, spellings: [Lake, {}], from: A book}}\n"
    settings.PACKS_DIR = tmp_path
    (tmp_path / "waters.yaml").write_text(pack.format(1, "Mere"))
    add("Lakes", "Lake")
    revision = TopicRevision.objects.get()
    assert revision.packs == {"waters": 1}
    (tmp_path / "waters.yaml").write_text(pack.format(1, "Pond"))
    refused = revisions.changed_draft("Lakes", TopicChange("Lake OR river"))
    assert isinstance(refused, Refused)
    assert "raise the version" in refused.reason
    (tmp_path / "waters.yaml").write_text(pack.format(2, "Pond"))
    assert revisions.draft_of(revision).groups[0].spellings == ("Lake", "Mere")
    change("Lakes", off=("pond",))
    live = TopicRevision.objects.get(n=2)
    assert (live.packs, live.without) == ({"waters": 2}, ["pond"])
    assert revisions.draft_of(live).groups[0].spellings == ("Lake",)
    assert sorted(AliasPack.objects.values_list("version", flat=True)) == [1, 2]
    change("Lakes", on=("POND",))
    assert TopicRevision.objects.get(n=3).without == []
    change("Lakes", off=("pond",))
    change("Lakes", packs=())
    assert TopicRevision.objects.get(n=5).without == []


def test_preview_counts_items_gained_and_lost() -> None:
    for days in (1, 2, 9, 95):
        factories.item(f"Cable {days}", "Text.", seen=NOW - timedelta(days=days))
    factories.item("Ship", "Text.", seen=NOW - timedelta(days=4))
    seen = preview.preview_draft(draft('ship OR "cable 1"'), draft("cable"), now=NOW)
    assert (seen.items, seen.gained, seen.lost) == (4, 1, 2)
    assert (seen.before.items, seen.after.items, seen.after.busiest_day) == (3, 2, 1)
    assert seen.after.per_day == round(2 / 9, 1)
    assert [one.title for one in seen.samples_gained] == ["Ship"]
    assert [one.title for one in seen.samples_lost] == ["Cable 2", "Cable 9"]
    assert seen.samples_gained[0].words == ("“Ship”",)
    assert [(week.before, week.after) for week in seen.weeks] == [(1, 0), (1, 1), (1, 1)]
    assert Match.objects.count() == AliasPack.objects.count() == 0


def test_preview_of_archived_items_has_no_rate() -> None:
    old = factories.item("A cable of long ago", "Text.")
    Entry.objects.filter(id=old.entry_id).update(published_at=NOW - timedelta(days=2000))
    factories.item("A cable", "Text.", seen=NOW - timedelta(days=4))
    seen = preview.preview_draft(draft("cable"), now=NOW)
    assert (seen.items, seen.gained, seen.after) == (2, 2, preview.Rate(2, 1.8, 0.2, 1))
    assert len(seen.weeks) == 1


def test_preview_hides_small_numbers_of_followers() -> None:
    topic = Topic.objects.get(id=add("Cable", "cable"))
    for _ in range(9):
        factories.follow(factories.subscriber(), topic)
    assert preview.preview_topic("Cable", None, now=NOW, small_number=10).followers.shown is None
    factories.follow(factories.subscriber(), topic)
    assert preview.preview_topic("Cable", draft("ship"), now=NOW, small_number=10).followers.shown == 10


def test_topic_on_hold_collects_matches_and_owes_none() -> None:
    topic_id = add("Cable", "cable")
    before = fresh("A cable before")
    run()
    assert hold.hold("Cable", now=NOW, actor=ACTOR) == hold.Held(topic_id, 1)
    assert isinstance(hold.hold("Cable", now=NOW, actor=ACTOR), Refused)
    during = fresh("A cable during")
    run(NOW + timedelta(hours=1))
    assert states() == {before.id: (False, False), during.id: (False, False)}
    assert topic_status.find_status("Cable", small_number=10).state == "held"
    assert hold.release("Cable", mail=False, now=NOW + timedelta(hours=2), actor=ACTOR) == hold.Released(topic_id, 1, 1)
    assert states() == {before.id: (True, False), during.id: (False, False)}
    assert isinstance(hold.release("Cable", mail=False, now=NOW, actor=ACTOR), Refused)
    after = fresh("A cable after")
    run(NOW + timedelta(hours=3))
    assert states()[after.id] == (True, False)


def test_release_with_mail_owes_only_recent_matches() -> None:
    add("Cable", "cable")
    hold.hold("Cable", now=NOW, actor=ACTOR)
    young, old = fresh("A cable", seen=NOW), fresh("Another cable", seen=NOW - timedelta(days=9))
    run(NOW + timedelta(minutes=1))
    released = hold.release("Cable", mail=True, now=NOW + timedelta(days=2), actor=ACTOR)
    assert (released.owed, released.dropped) == (1, 1)
    assert states() == {young.id: (True, False), old.id: (False, False)}
    assert Match.objects.get(item=young).owed_at == NOW + timedelta(minutes=1)
    assert not Match.objects.filter(held_at__isnull=False).exists()


def test_match_owed_while_a_hold_began_is_held() -> None:
    topic = Topic.objects.get(id=add("Cable", "cable"))
    hold.hold("Cable", now=NOW, actor=ACTOR)
    factories.match(factories.item(), topic, owed_at=NOW)
    settle()
    assert list(states().values()) == [(False, False)]
    assert Match.objects.get().held_at == NOW


def test_match_held_while_a_hold_ended_is_owed() -> None:
    topic = Topic.objects.get(id=add("Cable", "cable"))
    made = factories.match(factories.item(), topic, owed_at=None)
    Match.objects.filter(id=made.id).update(held_at=NOW)
    settle()
    assert list(states().values()) == [(True, False)]


def test_edited_item_of_a_topic_on_hold_is_not_owed() -> None:
    add("Cable", "cable")
    item = fresh("A cable")
    run()
    hold.hold("Cable", now=NOW, actor=ACTOR)
    Match.objects.update(withdrawn_at=NOW, owed_at=NOW, held_at=None)
    Item.objects.filter(id=item.id).update(matched_at=None)
    run()
    assert states() == {item.id: (False, False)}


def test_match_is_never_owed_and_held_at_once() -> None:
    topic = factories.topic()
    made = factories.match(factories.item(), topic)
    with pytest.raises(IntegrityError):
        Match.objects.filter(id=made.id).update(held_at=NOW)
