"""The workshop: preview, save, two admins at once, switches of spellings, and what is wrong said where it is."""

import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.matching.topics.revisions import live_revision
from newsletter.models import AuditEntry, Topic, TopicRevision
from tests.web.desk.topics.conftest import add, settle, stored

PACKS = ["companies", "institutions", "peoples", "persons"]


def typed(topic: Topic | None = None, **values: object) -> dict[str, object]:
    """What the form sends."""
    live = live_revision(topic) if topic else None
    return {
        "do": "preview",
        "query": live.query if live else "",
        "packs": PACKS,
        "description": topic.description if topic else "",
        "described": topic.description if topic else "",
        "revision": live.n if live else 0,
        "note": "",
    } | values


def page(answer) -> str:
    assert answer.status_code == 200, answer.content.decode()[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def address(topic: Topic) -> str:
    return reverse("desk_topics_topic", args=[topic.id])


def test_a_preview_shows_what_changes_with_the_words_marked_and_changes_nothing(as_editor, huawei):
    html = page(as_editor.post(address(huawei), typed(huawei, query="(Huawei OR whale) NOT title:stock")))
    assert "Gained: 1 item" in html and "A <mark>whale</mark>" in html
    assert "Lost: 1 item" in html and "Stock of <mark>Huawei</mark>" in html
    assert "All 5 stored items were searched" in html
    assert 'aria-label="Items per week after: 3 in all"' in html
    assert "(Huawei OR whale) NOT title:stock</textarea>" in html
    assert (TopicRevision.objects.count(), live_revision(huawei).query) == (1, "Huawei")


def test_saving_makes_a_revision_with_note_description_and_author(as_editor, huawei):
    sent = typed(huawei, do="save", query="Huawei OR whale", note="whales too", description="And whales.")
    answer = as_editor.post(address(huawei), sent)
    assert (answer.status_code, answer.url) == (303, address(huawei))
    huawei.refresh_from_db()
    live = live_revision(huawei)
    assert (live.n, live.query, live.note, live.made_by) == (2, "Huawei OR whale", "whales too", "ed")
    assert huawei.description == "And whales."
    assert {row.action for row in AuditEntry.objects.filter(actor="ed")} == {"topic.edit", "topic.describe"}
    assert "Saved as revision 2" in page(as_editor.get(address(huawei)))


def test_a_query_that_cannot_be_read_is_marked_at_its_column(as_editor, huawei):
    html = page(as_editor.post(address(huawei), typed(huawei, do="save", query="Huawei NEAR whale")))
    assert 'aria-describedby="hint-query query-read" aria-invalid="true"' in html
    assert "Column 8: " in html
    assert '<code class="query" aria-hidden="true">Huawei <mark class="here">N</mark>EAR whale</code>' in html
    assert TopicRevision.objects.count() == 1


def test_who_saves_second_sees_the_difference_and_decides(as_editor, as_owner, huawei):
    mine, theirs = typed(huawei, do="save", query="Huawei OR whale"), typed(huawei, do="save", query="Huawei OR ship")
    assert as_owner.post(address(huawei), theirs).status_code == 303
    html = page(as_editor.post(address(huawei), mine))
    assert "<bdi>olga</bdi> saved revision 2 meanwhile" in html and "Huawei OR whale</textarea>" in html
    assert "<del>" in html and "ship" in html and "Take theirs" in html
    assert live_revision(Topic.objects.get()).query == "Huawei OR ship"
    [based_on] = re.findall(r'name="revision" value="(\d+)"', html)
    assert as_editor.post(address(huawei), mine | {"revision": based_on}).status_code == 303
    assert live_revision(Topic.objects.get()).query == "Huawei OR whale"


def test_a_spelling_is_counted_and_switched_off_and_a_typing_error_loses_no_switch(as_editor, huawei):
    html = page(as_editor.get(address(huawei)))
    assert re.search(r'value="华为" checked>.*?<b class="items">1<', html)
    off = {"shown": ["华为", "Хуавэй"], "ticked": ["Хуавэй"]}
    html = page(as_editor.post(address(huawei), typed(huawei, **off)))
    assert "Lost: 1 item" in html and re.search(r'value="华为"> .*?<b class="items">\+1<', html)
    html = page(as_editor.post(address(huawei), typed(huawei, query="(Huawei", **off)))
    assert '<input type="hidden" name="shown" value="华为">' in html
    assert as_editor.post(address(huawei), typed(huawei, do="save", **off)).status_code == 303
    assert live_revision(Topic.objects.get()).without == ["华为"]
    on = {"shown": ["华为", "Хуавэй"], "ticked": ["华为", "Хуавэй"]}
    assert as_editor.post(address(huawei), typed(Topic.objects.get(), do="save", **on)).status_code == 303
    assert live_revision(Topic.objects.get()).without == []


def test_a_query_that_matches_very_much_asks_before_it_is_saved(as_editor, db):
    stored(*["A ship"] * 3)
    from newsletter.models import Entry, Item

    Item.objects.update(first_seen_at=Item.objects.first().first_seen_at)
    Entry.objects.update(published_at=Item.objects.first().first_seen_at)
    sent = typed(None, do="save", name="Ships", query="ship")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("newsletter.web.desk.topics.previews.MANY_PER_DAY", 1)
        html = page(as_editor.post(reverse("desk_topics_new"), sent))
        assert "Save it all the same" in html and not Topic.objects.exists()
        assert as_editor.post(reverse("desk_topics_new"), sent | {"many": "1"}).status_code == 303
    assert Topic.objects.get().name == "Ships"


def test_a_new_topic_starts_from_a_template_or_as_a_copy(as_editor, huawei):
    new = reverse("desk_topics_new")
    html = page(as_editor.get(f"{new}?{urlencode({'from': 'pack:peoples:uyghur'})}"))
    assert "Uyghur, with 1" in html and 'name="name" value="Uyghur"' in html and "Uyghur</textarea>" in html
    assert "维吾尔" in html
    html = page(as_editor.get(f"{new}?{urlencode({'from': f'copy:{huawei.id}'})}"))
    assert 'value="Huawei (copy)"' in html and 'value="The company."' in html
    html = page(as_editor.post(new, typed(None, do="save", name="huawei", query="whale")))
    assert "a topic of that name exists" in html and "whale</textarea>" in html
    answer = as_editor.post(new, typed(None, do="save", name="Whales", query="whale"))
    assert answer.url == address(Topic.objects.get(name="Whales"))


def test_a_page_costs_the_same_however_many_matches_there_are(as_editor, huawei):
    def cost(url: str) -> int:
        as_editor.get(url)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page(as_editor.get(url))
        return len(captured)

    before = cost(address(huawei)), cost(reverse("desk_topics"))
    stored(*[f"Huawei {n}" for n in range(12)])
    for n in range(4):
        add(f"Topic {n}", f"whale{n}")
    settle()
    assert (cost(address(huawei)), cost(reverse("desk_topics"))) == before
    assert max(before) <= 22
