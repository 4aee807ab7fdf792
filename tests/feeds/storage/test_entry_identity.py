"""Which entry is which, whatever a feed does to its guids: decision 11 as tests."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from newsletter.feeds.parsing.entry_fields import EntryFields, make_entry
from newsletter.feeds.parsing.model import ParsedEntry, ParsedFeed
from newsletter.feeds.storage import diff
from newsletter.feeds.storage.save import Saved, save_poll
from newsletter.models import Entry, Feed, Item
from tests import factories
from tests.environment import examples

NOW = factories.NOW
pytestmark = pytest.mark.django_db


def post(number: int, *, guid: str | None = None, **changes: object) -> ParsedEntry:
    fields = EntryFields(
        guid=f"g{number}" if guid is None else guid,
        url=f"https://digest.example/2026/post-{number}",
        title=f"What number {number} says",
        html=f"<p>{WORDS[number % len(WORDS)]} Number {number} ends here.</p>",
        base="https://digest.example",
        author="",
        categories=(),
        published_at=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=number),
        lang="en",
    )
    return replace(make_entry(fields), **changes)  # type: ignore[arg-type]


WORDS = (
    "A harbour was closed for two days after the storm took its crane away.",
    "The court heard five witnesses and adjourned until the spring of next year.",
    "Farmers of the upper valley sold their wool at half of last year’s price.",
)


def new_feed() -> Feed:
    return Feed.objects.create(url="https://digest.example/feed", next_fetch_at=NOW, created_at=NOW, announce="all")


def poll(feed: Feed, *posts: ParsedEntry) -> Saved:
    kept = save_poll(feed, diff.compare(feed, ParsedFeed("", "en", "", posts)), "en", NOW)
    feed.started_at = NOW
    return kept


def test_guids_that_change_with_every_poll_make_nothing_new() -> None:
    feed = new_feed()
    assert poll(feed, *(post(number, guid=f"first-{number}") for number in range(5))).new == 5
    for again in range(3):
        kept = poll(feed, *(post(number, guid=f"{again}-{number}") for number in range(5)))
        assert (kept.new, kept.changed) == (0, 0)
    assert Entry.objects.count() == 5


def test_a_retitled_entry_with_another_guid_is_known_by_its_text() -> None:
    feed = new_feed()
    poll(feed, post(1, guid="a"))
    kept = poll(feed, post(1, guid="b", title="Quite another headline"))
    assert (kept.new, kept.changed) == (0, 1)


def test_a_site_that_moves_to_another_domain_says_nothing_new() -> None:
    feed = new_feed()
    old = [post(number, guid=f"https://digest.example/2026/post-{number}") for number in range(5)]
    poll(feed, *old)
    moved = [
        replace(one, guid=one.guid.replace("digest", "news"), url=one.url.replace("digest", "news")) for one in old
    ]
    assert poll(feed, *moved).new == 0


def test_another_text_at_the_same_link_is_another_entry() -> None:
    feed = new_feed()
    home = "https://digest.example/today"
    poll(feed, post(1, guid="monday", url=home))
    kept = poll(feed, post(2, guid="tuesday", url=home))
    assert kept.new == 1


def test_posts_that_share_a_title_and_nothing_else_are_different() -> None:
    feed = new_feed()
    poll(feed, post(1, title="Briefing"))
    assert poll(feed, post(2, title="Briefing")).new == 1


def test_one_guid_on_several_entries() -> None:
    feed = new_feed()
    assert poll(feed, *(post(number, guid="same") for number in range(3))).new == 3
    assert poll(feed, *(post(number, guid="same") for number in range(4))).new == 1
    assert poll(feed, *(post(number, guid="same") for number in (3, 1))).new == 0


def test_a_guid_that_is_shared_only_later() -> None:
    feed = new_feed()
    assert poll(feed, post(0, guid="same")).new == 1
    assert poll(feed, post(1, guid="same"), post(0, guid="same")).new == 1


def test_without_guids_links_identify_entries_and_without_links_titles_and_dates() -> None:
    feed = new_feed()
    linked = [post(number, guid="") for number in range(3)]
    assert poll(feed, *linked).new == 3
    assert poll(feed, *(replace(one, title=one.title + "!") for one in linked)).new == 0
    bare = [post(number, guid="", url="") for number in range(10, 13)]
    assert poll(feed, *bare).new == 3
    assert poll(feed, *(replace(one, html="<p>Edited.</p>") for one in bare)).new == 0


def test_a_feed_that_shows_more_of_its_past_mails_none_of_it() -> None:
    feed = new_feed()
    poll(feed, post(500))
    old = [post(number, published_at=datetime(2006, 1, 1, tzinfo=UTC) + timedelta(days=number)) for number in range(40)]
    poll(feed, post(501), post(500), *old)
    assert set(Item.objects.filter(announced=True).values_list("entry__guid", flat=True)) == {"g500", "g501"}
    # one that is dated wrongly, or put in later, is news
    poll(feed, post(502, published_at=datetime(2006, 1, 1, tzinfo=UTC)))
    assert Item.objects.get(entry__guid="g502").announced


@dataclass(frozen=True)
class Habit:
    """What a feed does to one of its posts between two polls."""

    redate: bool
    reguid: bool
    https: bool
    tracking: bool
    reorder: bool


habits = st.builds(
    Habit,
    redate=st.booleans(),
    reguid=st.booleans(),
    https=st.booleans(),
    tracking=st.booleans(),
    reorder=st.booleans(),
)


class TestPolls(TestCase):
    """Whatever habits a feed has: known posts stay the same items, and each new one becomes an item once."""

    @settings(max_examples=examples(60))
    @given(polls=st.lists(st.tuples(habits, st.integers(0, 3), st.integers(3, 8)), min_size=1, max_size=5))
    @example(polls=[(Habit(True, True, False, False, False), 1, 5)])
    def test_each_post_becomes_one_item(self, polls: list[tuple[Habit, int, int]]) -> None:
        Feed.objects.all().delete()
        feed = new_feed()
        upto = 5
        ever = set(range(upto))
        poll(feed, *(post(number) for number in reversed(range(upto))))
        for turn, (habit, more, window) in enumerate(polls):
            upto += more
            numbers = range(max(0, upto - window), upto)
            shown = [self._after(post(number), number, habit, turn) for number in reversed(numbers)]
            kept = poll(feed, *(reversed(shown) if habit.reorder else shown))
            assert kept.new == len(set(numbers) - ever)
            ever |= set(numbers)
        assert Item.objects.count() == Entry.objects.count() == len(ever)

    def _after(self, entry: ParsedEntry, number: int, habit: Habit, turn: int) -> ParsedEntry:
        if habit.redate:
            entry = replace(entry, published_at=entry.published_at and entry.published_at + timedelta(minutes=turn + 1))
        if habit.reguid:
            entry = replace(entry, guid=f"turn{turn}-{number}")
        if habit.https:
            entry = replace(entry, url=entry.url.replace("https:", "http:"))
        if habit.tracking:
            entry = replace(entry, url=f"{entry.url}?utm_source=feed{turn}")
        return entry


HOME = "https://digest.example/latest"


def shared(number: int, **changes: object) -> ParsedEntry:
    """One of several posts that have the same guid and the same link."""
    said = {"guid": "latest", "url": HOME, "title": TITLES[number], "html": TEXTS[number]}
    return replace(post(number), **(said | changes))  # type: ignore[arg-type]


TITLES = ("The harbour opens again", "Five witnesses heard", "Wool at half its price", "A mast for the upper valley")
TEXTS = (
    "<p>The harbour was closed for two days after the storm took its crane away; on Monday the first ships came in again.</p>",
    "<p>The court heard five witnesses on the sale of the old mill and adjourned until the spring of next year.</p>",
    "<p>Farmers of the northern hills sold their wool at half of what they were paid a year ago, their union says.</p>",
    "<p>Four hundred people get a telephone mast of their own: the council has voted for it by eleven to two.</p>",
)


def titles() -> set[str]:
    return set(Entry.objects.values_list("title", flat=True))


def test_different_posts_with_one_guid_and_one_link_are_all_stored() -> None:
    feed = new_feed()
    assert poll(feed, shared(0), shared(1), shared(2)).new == 3
    assert poll(feed, shared(0), shared(1), shared(2)).new == 0
    assert poll(feed, shared(3), shared(0), shared(1)).new == 1
    assert titles() == set(TITLES)
    assert poll(feed, shared(1)) == Saved()


def test_a_post_that_was_alone_with_its_guid_and_link_stays_itself_when_another_joins_it() -> None:
    feed = new_feed()
    assert poll(feed, shared(0)).new == 1
    first = Item.objects.get().id
    assert poll(feed, shared(1), shared(0)).new == 1
    assert Item.objects.get(entry__title=TITLES[0]).id == first
    assert poll(feed, shared(2)).new == 1
    assert titles() == set(TITLES[:3])


@pytest.mark.parametrize(
    "edit",
    [
        {"title": "The harbour is open again, the pilots say"},
        {"html": "<p>Another text that has nothing in common with what was said here in the beginning.</p>"},
        {"title": "The port is open", "html": TEXTS[0].replace("two days", "three days").replace("first ", "")},
    ],
)
def test_two_wordings_of_one_post_in_one_poll_are_one_and_so_are_they_in_two(edit: dict[str, object]) -> None:
    feed = new_feed()
    assert poll(feed, shared(0, **edit), shared(0)).new == 1
    feed = Feed.objects.create(url="https://b.example/", next_fetch_at=NOW, created_at=NOW, announce="all")
    assert poll(feed, shared(0), shared(1)).new == 2
    assert poll(feed, shared(0, **edit), shared(1)).new == 0
    assert Entry.objects.filter(feed=feed).count() == 2
    feed = Feed.objects.create(url="https://c.example/", next_fetch_at=NOW, created_at=NOW, announce="all")
    assert poll(feed, shared(0, **edit), shared(0), shared(1)).new == 2


def test_posts_that_share_guid_and_home_page_stay_themselves_when_they_are_dated_again() -> None:
    feed = new_feed()
    home = "https://digest.example/"
    assert poll(feed, shared(0, url=home)).new == 1
    later = NOW + timedelta(hours=1)
    assert poll(feed, shared(0, url=home, published_at=later), shared(1, url=home)).new == 1
    assert poll(feed, shared(1, url=home, published_at=later)).new == 0
    assert poll(feed, shared(0, url=home)).new == 0


@pytest.mark.parametrize("guid", ["latest", ""])
def test_all_posts_of_a_poll_may_be_retitled_at_once(guid: str) -> None:
    feed = new_feed()
    assert poll(feed, *(shared(number, guid=guid) for number in range(3))).new == 3
    items = dict(Item.objects.values_list("entry__title", "id"))
    assert poll(feed, *(shared(number, guid=guid, title=f"Reading {number}") for number in (2, 0, 1))).new == 0
    assert dict(Item.objects.values_list("entry__title", "id")) == {
        f"Reading {number}": items[TITLES[number]] for number in range(3)
    }


def test_posts_without_texts_or_titles_are_told_apart_by_what_there_is() -> None:
    feed = new_feed()
    assert poll(feed, *(shared(number, html="") for number in range(4))).new == 4
    feed = Feed.objects.create(url="https://b.example/", next_fetch_at=NOW, created_at=NOW, announce="all")
    assert poll(feed, *(shared(number, title="") for number in range(4))).new == 4
    assert poll(feed, *(shared(number, title="") for number in range(4))).new == 0
    feed = Feed.objects.create(url="https://c.example/", next_fetch_at=NOW, created_at=NOW, announce="all")
    assert poll(feed, *(shared(number, url="") for number in range(4))).new == 4


def test_an_edited_post_without_guid_that_shares_its_link_is_not_new() -> None:
    feed = new_feed()
    assert poll(feed, shared(0, guid=""), shared(1, guid="")).new == 2
    assert poll(feed, shared(0, guid="", title="The port is open"), shared(1, guid="")).new == 0


edits = st.sampled_from(("none", "title", "text", "slip", "gone", "back"))


class TestSharedGuids(TestCase):
    """Posts that share guid and link: each becomes one item, whatever small edits it sees between polls."""

    @settings(max_examples=examples(50))
    @given(
        size=st.integers(2, 4),
        polls=st.lists(st.tuples(st.integers(0, 3), edits, st.booleans()), min_size=1, max_size=6),
        guid=st.sampled_from(("latest", "")),
    )
    @example(size=2, polls=[(0, "gone", False), (1, "title", False), (0, "back", True)], guid="latest")
    def test_each_post_becomes_one_item(self, size: int, polls: list[tuple[int, str, bool]], guid: str) -> None:
        Feed.objects.all().delete()
        feed = new_feed()
        shown = {number: shared(number, guid=guid) for number in range(size)}
        hidden: dict[int, ParsedEntry] = {}
        assert poll(feed, *shown.values()).new == size
        for turn, (which, edit, reorder) in enumerate(polls):
            number = which % size
            if edit == "back":
                shown |= hidden
                hidden = {}
            elif number in shown and edit == "gone" and len(shown) > 1:
                hidden[number] = shown.pop(number)
            elif number in shown:
                shown[number] = self._edited(shown[number], edit, turn)
            row = list(shown.values())
            assert poll(feed, *(reversed(row) if reorder else row)).new == 0
        assert Item.objects.count() == Entry.objects.count() == size

    def _edited(self, entry: ParsedEntry, edit: str, turn: int) -> ParsedEntry:
        if edit == "title":
            return replace(entry, title=f"{entry.title}, reading {turn}")
        if edit == "text":
            return replace(entry, html=entry.html.replace("</p>", f" It was said {turn} times.</p>"))
        return replace(entry, html=entry.html.replace("two", "too")) if edit == "slip" else entry
