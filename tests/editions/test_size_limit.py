"""No mail is longer than mail programs show, and no item that does not fit is lost."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.editions import compose, gatherings, left_over
from newsletter.editions.rendering import excerpt, size_limit
from newsletter.editions.rendering.size_limit import LIMIT, STEPS, TITLE, WHOLE, fit
from newsletter.models import (
    Cadence,
    DeliveryItem,
    Item,
    ItemVersion,
    LeftOver,
    Rhythm,
    Topic,
)
from tests import factories
from tests.editions.composing import NOW, alert, mails
from tests.environment import examples

LONG = "A long sentence about the harbour and its cameras, which goes on. " * 35  # 2,300 characters


@given(
    lengths=st.lists(st.integers(0, 30_000), min_size=1, max_size=300),
    overhead=st.integers(0, 3_000),
    room=st.integers(1, 100_000),
)
def test_fit_uses_the_room_and_does_not_exceed_it(lengths: list[int], overhead: int, room: int) -> None:
    def size(index: int, length: int) -> int:
        if length == TITLE:
            return 100
        return 200 + overhead + (lengths[index] if length == WHOLE else min(lengths[index], length))

    fitted = fit(len(lengths), size, room)
    used = sum(size(index, length) for index, length in enumerate(fitted))
    assert 1 <= len(fitted) <= len(lengths)
    assert used <= room or len(fitted) == 1
    if len(fitted) < len(lengths):
        assert set(fitted) == {TITLE} and used + 100 > room
    elif len(set(fitted)) == 1 and fitted[0] in STEPS[1:]:
        longer = STEPS[STEPS.index(fitted[0]) - 1]
        assert sum(size(index, longer) for index in range(len(lengths))) > room


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


_NODES = st.recursive(
    st.text("abc <&>é维 ", min_size=1, max_size=30).map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;"))
    | st.just("<br>"),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag.split()[0]}>",
        st.sampled_from(["p", "b", "ul", 'a href="https://example.org/?a=1&amp;b=2"']),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


@given(fragment=st.lists(_NODES, max_size=6).map("".join), length=st.integers(1, 120))
def test_excerpt_is_well_formed_prefix(fragment: str, length: int) -> None:
    whole, cut = _Balance(), _Balance()
    whole.feed(fragment), whole.close()
    shortened = excerpt.shorten_html(fragment, length)
    cut.feed(shortened), cut.close()
    assert cut.open == []
    if shortened == fragment:
        assert len(whole.text) <= length
    else:
        assert len(cut.text) <= length + 1 and cut.text.endswith("…")
        squeezed = "".join(cut.text.removesuffix("…").split())
        assert "".join(whole.text.split()).startswith(squeezed)


def follower(count: int, text: str, **subscriber: object) -> tuple[list[int], int]:
    """Somebody who follows a topic that `count` items of this text meet: (item ids, oldest first; subscriber id)."""
    topic, person = factories.topic("Harbour"), factories.subscriber(**subscriber)
    factories.follow(person, topic)
    items = []
    for number in range(count):
        item = factories.item(f"Headline number {number}")
        ItemVersion.objects.filter(item_id=item.id).update(text=text, html=f"<p>{text}</p>")
        factories.match(item, topic, owed_at=NOW - timedelta(seconds=count - number))
        items.append(item.id)
    return items, person.id


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3, 12, 25, 26, 45, 100])
def test_mail_stays_below_the_limit_with_every_article(composer: compose.Composer, count: int) -> None:
    items, _ = follower(count, LONG)
    alert(composer)
    ((edition, words),) = mails()
    size = len(words["html"].encode())
    assert size <= LIMIT
    assert {item for item, _, _ in edition.content} == set(items)
    shown = re.sub(r"</?mark[^>]*>", "", words["html"])
    assert len(set(re.findall(r"Headline number \d+", shown))) == count
    assert "@@nl-unsubscribe@@" in words["html"] and "did not fit" not in words["html"]
    if count >= 45:
        assert size > LIMIT * 0.55, "the room is used"


@pytest.mark.django_db
def test_short_articles_stay_whole_beside_a_long_one(composer: compose.Composer) -> None:
    items, _ = follower(12, "Short and whole.")
    ItemVersion.objects.filter(item_id=items[3]).update(text=LONG * 60, html=f"<p>{LONG * 60}</p>")
    alert(composer)
    ((_, words),) = mails()
    assert len(words["html"].encode()) <= LIMIT
    assert words["html"].count("Short and whole.") == 11
    assert "harbour and its cameras" in words["html"]


@pytest.mark.django_db
def test_items_that_do_not_fit_come_first_in_the_next_mail(composer: compose.Composer) -> None:
    rhythm = factories.rhythm(Cadence.DAILY, due_at=NOW + timedelta(hours=1))
    items, person = follower(200, LONG, daily_rhythm=rhythm)
    alert(composer)
    given_first = list(DeliveryItem.objects.filter(subscriber_id=person).values_list("item_id", flat=True))
    left = set(items) - set(given_first)
    ((_, words),) = mails()
    assert 0 < len(left) < 200
    assert f"{len(left)} more articles did not fit. They come in your next daily digest." in words["text"]
    assert f"{len(left)} more articles did not fit." in words["html"]
    assert LeftOver.objects.get().subscriber_id == person

    fresh = factories.item("Fresh news")
    factories.match(fresh, Topic.objects.get(), owed_at=NOW + timedelta(minutes=30))
    for day in range(1, 6):
        now = NOW + timedelta(days=day, hours=1)
        Rhythm.objects.filter(id=rhythm.id).update(due_at=now)
        for gathering in gatherings.open_due_digests(now=now):
            compose.compose(gathering, composer, clock=lambda now=now: now)
    everything = list(DeliveryItem.objects.filter(subscriber_id=person).values_list("item_id", flat=True))
    assert sorted(everything) == sorted([*items, fresh.id]), "each once, none lost"
    second = mails()[1]
    assert len(second[1]["html"].encode()) <= LIMIT
    order = [item for item, _, _ in second[0].content]
    assert fresh.id not in order[: min(len(left), len(order) - 1)]


@pytest.mark.django_db
def test_overdue_counts_items_waiting_longer_than_ten_days(composer: compose.Composer) -> None:
    items, person = follower(200, LONG)
    alert(composer)
    left = len(items) - DeliveryItem.objects.filter(subscriber_id=person).count()
    assert left > 0
    assert left_over.overdue(now=NOW + timedelta(days=9)) == 0
    assert left_over.overdue(now=NOW + timedelta(days=11)) == left
    assert left_over.prune(now=NOW + timedelta(days=11)) == 0
    assert left_over.prune(now=NOW + timedelta(days=21)) == 1


@pytest.mark.django_db
def test_different_leftovers_are_different_editions(composer: compose.Composer) -> None:
    items, _ = follower(200, "")
    other = factories.subscriber()
    topic = factories.topic("Half")
    factories.follow(other, topic)
    for item in Item.objects.filter(id__in=items[50:]):
        factories.match(item, topic)
    alert(composer)
    left = [words["text"].partition(" more articles did not fit")[0].split()[-1] for _, words in mails()]
    assert len(left) == 2 and len({*left}) == 2


@settings(max_examples=examples(20))
@given(text=st.text(max_size=3_000))
def test_any_text_can_be_shortened(text: str) -> None:
    for length in size_limit.STEPS[1:]:
        assert len(excerpt.shorten_text(text, length)) <= length
