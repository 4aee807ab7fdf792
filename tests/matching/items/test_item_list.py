"""The list of stored items: the same answers as the matcher, page by page, and it says when it did not look at all of them."""

from datetime import timedelta

import pytest

from newsletter.matching.items import item_list
from newsletter.matching.items.excerpt import excerpt, marked
from newsletter.matching.items.item_filter import ItemFilter, WrongQuery
from newsletter.matching.items.item_list import ItemList
from newsletter.matching.items.receipts import ReceiptPlace
from newsletter.matching.live_index.item_index import ItemIndex
from newsletter.models import Feed, Item, Topic
from tests import factories
from tests.factories import NOW


def listed(
    words: str = "", *, size: int = 25, after: int | None = None, seconds: float = 60, **chosen: object
) -> ItemList:
    answer = item_list.list_items(
        ItemFilter(words, **chosen),  # type: ignore[arg-type]
        index=ItemIndex(),
        now=NOW,
        size=size,
        after=after,
        seconds=seconds,
    )
    assert isinstance(answer, ItemList)
    return answer


def ids(answer: ItemList) -> list[int]:
    return [row.item_id for row in answer.rows]


def all_pages(words: str, size: int, **chosen: object) -> list[int]:
    found, after = list[int](), None
    while True:
        page = listed(words, size=size, after=after, **chosen)
        found += ids(page)
        if page.after is None:
            return found
        after = page.after


def fill() -> list[Item]:
    texts = ["a cable", "a ship", "two cables", "nothing", "the cable ship"]
    recent = [factories.item(f"Item {text}", text, seen=NOW - timedelta(days=1)) for text in texts]
    old = [factories.item("Old", "An old cable.", seen=NOW - timedelta(days=400)) for _ in range(3)]
    return recent + old


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["cable", '"cable ship"', "title:ship", "cab*", "cable -ship", "ship OR nothing", ""])
def test_pages_hold_what_one_page_would(words: str) -> None:
    fill()
    whole = ids(listed(words))
    assert whole == sorted(whole, reverse=True)
    assert whole
    assert all_pages(words, 2) == whole


@pytest.mark.django_db
def test_old_items_are_found_and_words_are_marked() -> None:
    items = fill()
    page = listed("cable")
    assert set(ids(page)) == {items[place].id for place in (0, 2, 4, 5, 6, 7)}
    assert page.searched_to is None
    row = next(row for row in page.rows if row.item_id == items[2].id)
    assert [(run.text, run.found) for run in row.excerpt] == [("two ", False), ("cables", True)]


@pytest.mark.django_db
def test_says_where_time_ran_out_and_goes_on_from_there() -> None:
    items = [factories.item("Item", f"cable {number}", seen=NOW - timedelta(days=200)) for number in range(60)]
    found, after = list[int](), None
    for _ in range(60):
        page = listed("cable", size=100, after=after, seconds=0)
        found += ids(page)
        after = page.after
        if after is None:
            break
        assert page.searched_to is not None
    assert found == [item.id for item in reversed(items)]


@pytest.mark.django_db
def test_filters_by_feed_topic_date_and_match() -> None:
    items = fill()
    topic = factories.topic("Ships", query="ship")
    factories.match(items[1], topic)
    feed = Feed.objects.create(url="https://other.example/", title="Other", next_fetch_at=NOW, created_at=NOW)
    Item.objects.get(id=items[0].id).entry.__class__.objects.filter(id=items[0].entry_id).update(feed=feed)
    assert ids(listed(feed_id=feed.id)) == [items[0].id]
    assert ids(listed(topic_id=topic.id)) == [items[1].id]
    assert listed(topic_id=topic.id).rows[0].topics == ("Ships",)
    assert ids(listed(matched=True)) == [items[1].id]
    assert len(ids(listed(matched=False))) == len(items) - 1
    old = listed(since=NOW - timedelta(days=500), until=NOW - timedelta(days=300))
    assert set(ids(old)) == {item.id for item in items[5:]}


@pytest.mark.django_db
def test_keywords_of_readers_are_in_no_list() -> None:
    items = fill()
    own = Topic.objects.create(kind="own", query_index=b"i", query_cipher=b"c", key_id=1, created_at=NOW, revision_id=0)
    factories.match(items[1], own)
    assert ids(listed(matched=True)) == []
    assert all(row.topics == () for row in listed().rows)


@pytest.mark.django_db
def test_an_error_of_a_query_names_its_column() -> None:
    answer = item_list.list_items(ItemFilter("cable AND (ship"), index=ItemIndex(), now=NOW)
    assert isinstance(answer, WrongQuery)
    assert answer.column > 1


@pytest.mark.django_db
def test_a_page_costs_the_same_with_more_items(django_assert_max_num_queries) -> None:
    fill()
    listed(matched=False)
    for _ in range(30):
        factories.item("More", "cable")
    with django_assert_max_num_queries(4):
        listed(matched=False)


def test_excerpt_is_around_the_first_place() -> None:
    text = "word " * 100 + "here it is " + "tail " * 100
    place = text.index("here")
    runs = excerpt(text, [ReceiptPlace("text", place, place + 4)])
    assert [run.text for run in runs if run.found] == ["here"]
    assert runs[0].text == runs[-1].text == "…"
    assert sum(len(run.text) for run in runs) < 240
    assert marked("a b", [ReceiptPlace("title", 0, 1)])[0].found
