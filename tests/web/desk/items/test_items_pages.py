"""The items pages: search, one item, and publishing by hand, through the client."""

import re
from datetime import timedelta

import pytest

from newsletter.lib import db
from newsletter.models import Feed, HandItem, Item, ItemVersion, Match, Topic
from tests import factories

pytestmark = pytest.mark.django_db


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None, name
    return found[1]


def stored(count: int = 1) -> list[Item]:
    now = db.now()
    return [
        factories.item(f"Cable {number}", f"Text {number} of Huawei's cables.", seen=now - timedelta(days=number))
        for number in range(count)
    ]


def typed(**values: str) -> dict[str, str]:
    text = "The **witnesses** spoke.\n\n<script>alert(1)</script>"
    return {"title": "A hearing", "markdown": text, "publisher": "The Paper", "language": "en"} | values


def test_search_marks_words_and_says_how_to_write_a_query(as_editor) -> None:
    stored(3)
    html = as_editor.get("/desk/items/?words=cables&matched=no").content.decode()
    assert html.count("<mark>cables</mark>") == 3
    assert "harbour OR port" in as_editor.get("/desk/items/?words=submarine").content.decode()
    html = as_editor.get("/desk/items/?words=cable+AND+(").content.decode()
    assert "At column" in html
    assert "cable AND (" in html
    assert as_editor.get("/desk/items/?since=yesterday&after=x&feed=no").status_code == 200


def test_empty_list_says_how_it_ends(as_editor) -> None:
    assert "There are no items yet" in as_editor.get("/desk/items/").content.decode()


def test_a_list_page_costs_the_same_however_many_items(as_editor, django_assert_max_num_queries) -> None:
    stored(60)
    with django_assert_max_num_queries(14):
        html = as_editor.get("/desk/items/").content.decode()
    after = re.search(r"\?after=(\d+)", html)
    assert after is not None
    assert "Cable 30" in as_editor.get(f"/desk/items/?after={after[1]}").content.decode()


def test_item_page_shows_topics_near_misses_and_versions(as_editor, django_assert_max_num_queries) -> None:
    [item] = stored()
    topic = factories.topic("Huawei", query="Huawei")
    match = factories.match(item, topic)
    Match.objects.filter(id=match.id).update(
        receipt=[{"field": "text", "start": 10, "end": 16, "term": "huawei", "alias": None, "pack": None}]
    )
    factories.topic("Sanctions", query="Huawei AND sanctions")
    own = Topic.objects.create(
        kind="own", query_index=b"i", query_cipher=b"c", key_id=1, created_at=db.now(), revision_id=0
    )
    factories.match(item, own)
    ItemVersion.objects.create(
        item=item,
        n=2,
        title="Cable 0",
        text="Text 0 of Huawei's two cables.",
        html="<p>x</p>",
        meaning_hash=b"",
        seen_at=db.now(),
    )
    Item.objects.filter(id=item.id).update(version=2)
    with django_assert_max_num_queries(24):
        html = as_editor.get(f"/desk/items/{item.id}/").content.decode()
    assert "fewer than 10 of its followers" in html
    assert "Sanctions" in html and "<b>sanctions</b>" in html
    assert "<ins>two </ins>" in html
    assert html.count("revision 1") == 1
    assert as_editor.get("/desk/items/99999/").status_code == 404


def test_an_item_is_previewed_published_corrected_and_withdrawn(as_editor) -> None:
    topic = factories.topic("Hearings", query="witnesses")
    for _ in range(12):
        factories.follow(factories.subscriber(), topic)
    form = as_editor.get("/desk/items/publish/").content.decode()
    values = typed(token=hidden(form, "token"))
    html = as_editor.post("/desk/items/publish/", {**values, "action": "preview"}).content.decode()
    assert "This mails 10 people" in html
    assert "&lt;script&gt;" in html and "<script>alert" not in html
    assert Item.objects.count() == 0

    final = {**values, "action": "publish", "previewed": hidden(html, "previewed"), "people": hidden(html, "people")}
    for _ in range(22):
        factories.follow(factories.subscriber(), topic)
    assert "has changed since" in as_editor.post("/desk/items/publish/", final).content.decode()
    html = as_editor.post("/desk/items/publish/", {**final, "title": "Another"}).content.decode()
    assert "changed since the preview" in html
    final |= {"people": "30"}
    answer = as_editor.post("/desk/items/publish/", final)
    assert answer.status_code == 303
    as_editor.post("/desk/items/publish/", final)
    item = Item.objects.get()
    assert Feed.objects.get().state == "by hand"

    address = f"/desk/items/{item.id}/correct/"
    assert "The **witnesses** spoke." in as_editor.get(address).content.decode()
    changed = typed(markdown="Six **witnesses** spoke.")
    html = as_editor.post(address, {**changed, "action": "preview"}).content.decode()
    assert "<ins>Six " in html and "changes the meaning" in html
    final = {**changed, "action": "publish", "previewed": hidden(html, "previewed"), "version": hidden(html, "version")}
    assert as_editor.post(address, final).status_code == 303
    item.refresh_from_db()
    assert item.version == 2
    assert "changed since the preview" in as_editor.post(address, final).content.decode()
    assert as_editor.post(f"/desk/items/{item.id}/withdraw/").status_code == 303
    assert HandItem.objects.get().withdrawn_at is not None


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(as_editor) -> None:
    html = as_editor.post(
        "/desk/items/publish/", typed(title="", url="ftp://x", published_on="2999-01-01")
    ).content.decode()
    assert "3 things need your attention" in html
    assert "The **witnesses** spoke." in html
    [item] = stored()
    assert as_editor.get(f"/desk/items/{item.id}/correct/").status_code == 303
    assert as_editor.get("/desk/items/99999/correct/").status_code == 404
