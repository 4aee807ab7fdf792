"""A search of stored items says what the matcher says of them, also after edits, and claims nothing of what it did not cover."""

from datetime import timedelta
from unittest.mock import patch

import pytest

from newsletter.matching.live_index import item_index, item_search
from newsletter.matching.live_index.item_index import ItemIndex
from newsletter.matching.live_index.item_search import SearchResult
from newsletter.matching.live_index.stored_items import current_versions, load_items
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse
from newsletter.models import Item, ItemVersion
from tests import factories
from tests.matching.naive import Naive

NOW = factories.NOW
TEXTS = [
    ("Huawei’s cables", "The US and the E.U. lay submarine cables.\n\nThey told us."),
    ("A policy of e-mail", "Policies on emails; no cable of submarine make."),
    ("新疆维吾尔自治区", "維吾爾 people and Uyghurs."),
    ("Уйгуры в Казахстане", "О выборах и уйгурах."),
    ("हिन्दी शब्दों", "एक शब्द"),
    ("कोई", "ئۇيغۇر كِتاب UNs un"),
    ("Zzyzx", ""),
]
QUERIES = [
    "cable", "US", "us", "EU", '"submarine cable"', '"submarine cables"', "cable -US", "policy", "e-mail", "email", "维吾尔",
    '"新疆 维吾尔"', "维吾", "уйгур", "выборы", "शब्द", "كتاب", "UN", "un", "-cable people", '"us policy"', '"us they"', "zzyzx",
    "cab*", "title:cable", "=Huawei", "~cables", '"the us"~3', "cable OR zzyzx", "lang:en cable", "uyghur",
]  # fmt: skip

pytestmark = pytest.mark.django_db


def fill(texts: list[tuple[str, str]] = TEXTS) -> list[Item]:
    return [factories.item(title, text, seen=NOW - timedelta(days=n)) for n, (title, text) in enumerate(texts)]


def search(index: ItemIndex, queries: list[str] = QUERIES, days: int = 30) -> list[SearchResult]:
    return item_search.search(index, [compile_query(parse(query)) for query in queries], now=NOW, days=days)


def naively(query: str) -> tuple[int, ...]:
    newest = load_items(current_versions().order_by("-item__first_seen_at", "-item_id"))
    return tuple(one.item.id for one in newest if Naive(one.document).holds(parse(query)))


def agrees(index: ItemIndex) -> bool:
    expected = [SearchResult(naively(query), Item.objects.count(), complete=True) for query in QUERIES]
    assert search(index) == expected
    return any(one.item_ids for one in expected)


def test_search_equals_the_naive_matcher_while_items_change() -> None:
    index, items = ItemIndex(), fill()
    assert agrees(index)
    new = factories.item("Another cable", "of the US")
    assert agrees(index) and new.id in search(index, ["cable"])[0].item_ids
    ItemVersion.objects.create(
        item=items[0], n=2, title="Nothing", text="of the EU", html="", meaning_hash=b"", seen_at=NOW
    )
    Item.objects.filter(id=items[0].id).update(version=2)
    assert agrees(index) and items[0].id not in search(index, ["cable"])[0].item_ids
    new.delete()
    assert agrees(index)
    items[1].delete()
    assert agrees(index)


def test_item_without_a_version_matches_nothing() -> None:
    index, items = ItemIndex(), fill([("cable", "")] * 2)
    ItemVersion.objects.filter(item=items[0]).delete()
    assert search(index, ["cable", "cab* -ship"]) == [SearchResult((items[1].id,), 2, True)] * 2
    assert index.catch_up(index.newest(now=NOW, days=30))


def test_item_language_decides_about_stems() -> None:
    index, (item,) = ItemIndex(), fill([("Les chevaux", "")])
    assert search(index, ["cheval"])[0].item_ids == ()
    Item.objects.update(lang="fr")
    assert search(index, ["cheval"])[0].item_ids == (item.id,)


def test_reused_id_is_another_item() -> None:
    index, (item,) = ItemIndex(), fill([("A cable", "")])
    assert search(index, ["cable"])[0].item_ids == (item.id,)
    Item.objects.update(first_seen_at=NOW - timedelta(hours=1))
    ItemVersion.objects.update(title="A ship")
    assert search(index, ["cable", "ship"]) == [SearchResult((), 1, True), SearchResult((item.id,), 1, True)]


def test_search_covers_only_the_days_asked_for() -> None:
    index, items = ItemIndex(), fill([("cable", "")] * 4)
    assert search(index, ["cable"], days=2) == [SearchResult(tuple(item.id for item in items[:3]), 3, True)]
    Item.objects.filter(id=items[0].id).update(first_seen_at=NOW - timedelta(days=item_index.MOST_DAYS + 1))
    assert search(index, ["cable"], days=2) == [SearchResult((items[1].id, items[2].id), 2, True)]


def test_newest_items_are_searched_if_there_are_too_many() -> None:
    index, items = ItemIndex(most_items=3), fill([("cable", "")] * 5)
    assert search(index, ["cable", "ship"]) == [
        SearchResult(tuple(item.id for item in items[:3]), 3, False),
        SearchResult((), 3, False),
    ]


def test_index_respects_its_memory_limit() -> None:
    index, items = ItemIndex(most_bytes=1), fill([("cable", "a ship " * 50)] * 5)
    with patch.object(item_index, "BLOCK_SIZE", 1):
        (found,) = search(index, ["cable"])
    assert found == SearchResult((items[0].id,), 1, False)
    assert len(index.parts) == 1


def test_search_without_time_covers_nothing_and_continues_in_the_background() -> None:
    index, _ = ItemIndex(), fill()
    with patch.object(item_index, "CATCH_UP_SECONDS", 0), patch.object(index, "catch_up_in_background") as background:
        assert search(index, ["cable"]) == [SearchResult((), 0, False)]
    background.assert_called_once()
    index._catch_up_whole(index.newest(now=NOW, days=90))
    with patch.object(index, "catch_up_in_background") as background:
        assert agrees(index)
    background.assert_not_called()
    with patch.object(item_search, "SEARCH_SECONDS", 0):
        assert search(index, ["cable"]) == [SearchResult((), 0, False)]


def test_search_ends_at_the_first_undecided_item_when_time_is_up() -> None:
    index, items = ItemIndex(), fill([("a ship", ""), ("cable", ""), ("no cables", ""), ("cable", "")])

    class Stops(item_index.ProcessorClock):
        """Lets the index decide, and two items be read."""

        def __init__(self, seconds: float) -> None:
            super().__init__(seconds)
            self.looks = 0

        @property
        def over(self) -> bool:
            self.looks += 1
            return self.looks > 4

    index._catch_up_whole(index.newest(now=NOW, days=90))
    with patch.object(item_search, "ProcessorClock", Stops):
        prefix, word = search(index, ["cab*", "cable"])
    assert prefix == SearchResult((items[1].id,), 2, False)
    assert word == SearchResult(tuple(item.id for item in items[1:]), 4, True)


@pytest.mark.django_db(transaction=True)
def test_background_reads_all_missing_items_and_releases_its_lock() -> None:
    index, items = ItemIndex(), fill([("cable", "")] * 3)
    index.catch_up_in_background(now=NOW)
    assert index._in_background.acquire(timeout=20)
    with patch.object(item_index, "CATCH_UP_SECONDS", 0):
        assert search(index, ["cable"])[0].item_ids == tuple(item.id for item in items)
