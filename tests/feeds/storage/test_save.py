"""What becomes of an item when its entry is edited, dated anew, taken away, brought back or cut in another way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer

from newsletter.feeds.storage import diff
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.match import match_fresh
from newsletter.models import DeliveryItem, Feed, Item, ItemVersion, Match, Subscriber, Topic
from tests import factories
from tests.feeds.fake_site import Post, Site, hours

pytestmark = pytest.mark.django_db

CABLE = Post(
    "cable",
    "A cable",
    "<p>A group of engineers laid a cable, and Huawei paid.</p><p>Source: Wire, November 5, 2026</p>",
)
BANKS = Post("banks", "Banks", "<p>Five large banks lent more to pilots.</p><p>Source: Quay, November 6, 2026</p>")
ARTICLES = (
    "<h3>Ferry fares go up</h3><p>A ticket costs more since Huawei sells it.</p><p>Source: Wire https://wire.example/1</p>",
    "<h3>Museum ship leaks</h3><p>She is closed until Huawei pays.</p><p>Source: Quay https://quay.example/2</p>",
    "<h3>Tug crews vote</h3><p>They vote about Huawei on Thursday.</p><p>Source: Wire, November 5, 2026</p>",
)


@pytest.fixture
def site(httpserver: HTTPServer) -> Site:
    return Site(httpserver)


@pytest.fixture
def times() -> Iterator[datetime]:
    return hours()


@pytest.fixture
def topic() -> Topic:
    return factories.topic("Huawei", query="Huawei")


@pytest.fixture
def reader(topic: Topic) -> Subscriber:
    made = factories.subscriber()
    factories.follow(made, topic)
    return made


def digest(*articles: str) -> Post:
    return Post("digest", "Weekly digest", "".join(articles))


def edited(post: Post, old: str, new: str) -> Post:
    assert old in post.html
    return replace(post, html=post.html.replace(old, new))


def step(site: Site, now: datetime, *posts: Post) -> list[str]:
    """Read the feed and mail what is owed; the first line of each place in each mail."""
    site.read(*posts, now=now)
    return [place.strip().split("\n")[0] for mail in site.mail(now) for place in mail]


def given(reader: Subscriber) -> int:
    return DeliveryItem.objects.filter(subscriber_id=reader.id).count()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("engineers laid", "engineers\u00a0 laid"),
        ("cable, and", "cable — and"),
        ("cable, and Huawei paid.", "cable, and Huawei paid"),
        ("A group of engineers", "The group of enginers"),
        ("engineers", '<a href="https://example.org/e">engineers</a>'),
        ("Source: Wire, November 5, 2026", "(Source: Wire, 5 November 2026)"),
        ("Source: Wire, November 5, 2026", "Source: Wire, November 5, 2026 https://wire.example/cable"),
    ],
)
def test_an_insignificant_edit_is_stored_and_mails_nobody(
    site: Site, times: Iterator[datetime], reader: Subscriber, old: str, new: str
) -> None:
    assert step(site, next(times), CABLE) == ["A cable"]
    assert step(site, next(times), edited(CABLE, old, new)) == []
    assert Item.objects.count() == given(reader) == 1
    versions = list(ItemVersion.objects.order_by("n"))
    match = Match.objects.get()
    if old == "engineers laid" or new.startswith("("):
        assert [version.n for version in versions] == [1], "the same citation, and no other word"
    else:
        assert [(version.n, version.material) for version in versions] == [(1, True), (2, False)]
        assert match.item_version == 2
    hit, text = match.receipt[0], versions[-1].text
    assert text[hit["start"] : hit["end"]] == "Huawei", "the receipt speaks of the new wording"


def test_an_insignificant_edit_is_never_matched_again(site: Site, times: Iterator[datetime]) -> None:
    harbour = factories.topic("Harbour", query="harbour")
    factories.follow(factories.subscriber(), harbour)
    post = replace(CABLE, html="<p>The harbor is closed to ships.</p>")
    assert step(site, next(times), post) == []
    assert step(site, next(times), edited(post, "harbor", "harbour")) == []
    assert not Match.objects.exists()
    assert step(site, next(times), edited(post, "harbor is closed", "harbour is open")) == ["A cable"]


def test_a_significant_edit_is_matched_for_those_who_never_had_the_item(
    site: Site, times: Iterator[datetime], reader: Subscriber
) -> None:
    other = factories.subscriber()
    factories.follow(other, factories.topic("Pilots", query="pilots"))
    assert step(site, next(times), BANKS) == ["Banks"]
    assert (given(reader), given(other)) == (0, 1)
    assert step(site, next(times), edited(BANKS, "pilots", "pilots of Huawei")) == ["Banks"]
    assert (given(reader), given(other)) == (1, 1)
    assert ItemVersion.objects.get(n=2).material


def test_what_an_edit_takes_out_is_not_owed_and_what_brings_it_back_is(
    site: Site, times: Iterator[datetime], reader: Subscriber
) -> None:
    site.read(CABLE, now=next(times))
    match_fresh(now=next(times), index=CurrentIndex(factories.VAULT))
    assert step(site, next(times), edited(CABLE, "Huawei", "Dahua")) == []
    assert Match.objects.get().withdrawn_at is not None
    assert step(site, next(times), CABLE) == ["A cable"]
    assert step(site, next(times), edited(CABLE, "Huawei", "Dahua")) == []
    assert step(site, next(times), CABLE) == []
    assert given(reader) == 1
    assert ItemVersion.objects.count() == 5


def test_an_edit_before_the_first_match_hides_nothing(
    site: Site, times: Iterator[datetime], reader: Subscriber
) -> None:
    site.read(CABLE, now=next(times))
    assert step(site, next(times), edited(CABLE, "engineers", "enginers")) == ["A cable"]
    site.read(replace(BANKS, html="<p>Nothing.</p>"), now=next(times))
    site.mail(next(times))
    site.read(edited(BANKS, "pilots", "Huawei"), now=next(times))
    assert step(site, next(times), edited(BANKS, "lent more to pilots", "lent moore to Huawei")) == ["Banks"]


@pytest.mark.parametrize("days", [-400, -1, 1])
def test_a_new_date_is_no_news(site: Site, times: Iterator[datetime], reader: Subscriber, days: int) -> None:
    step(site, next(times), CABLE)
    assert step(site, next(times), replace(CABLE, at=CABLE.at + timedelta(days=days))) == []
    assert (given(reader), ItemVersion.objects.count()) == (1, 1)


def test_what_vanished_and_came_back_is_no_news(site: Site, times: Iterator[datetime], reader: Subscriber) -> None:
    assert step(site, next(times), CABLE, BANKS) == ["A cable"]
    assert step(site, next(times), BANKS) == []
    assert step(site, next(times), edited(CABLE, "paid", "payed"), BANKS) == []
    assert (given(reader), Item.objects.count()) == (1, 2)


def test_another_order_is_no_news(site: Site, times: Iterator[datetime], reader: Subscriber) -> None:
    step(site, next(times), CABLE, BANKS)
    done = site.read(BANKS, CABLE, now=next(times))
    assert (done.new, done.changed) == (0, 0)
    assert step(site, next(times), digest(*ARTICLES), CABLE) == [
        "Ferry fares go up",
        "Museum ship leaks",
        "Tug crews vote",
    ]
    assert step(site, next(times), digest(*ARTICLES[::-1]), CABLE) == []
    assert ItemVersion.objects.count() == 5
    assert [item.position for item in Item.objects.filter(entry__guid="digest").order_by("id")] == [2, 1, 0]


def test_an_article_that_vanishes_from_a_digest_and_comes_back_is_no_news(
    site: Site, times: Iterator[datetime], reader: Subscriber
) -> None:
    assert len(step(site, next(times), digest(*ARTICLES))) == 3
    assert step(site, next(times), digest(*ARTICLES[1:])) == []
    assert step(site, next(times), digest(*ARTICLES)) == []
    assert step(site, next(times), digest(ARTICLES[0].replace("go up", "rise"), *ARTICLES[1:])) == []
    assert (given(reader), Item.objects.count()) == (3, 3)


def test_an_article_put_into_a_digest_is_the_only_news(
    site: Site, times: Iterator[datetime], reader: Subscriber
) -> None:
    assert len(step(site, next(times), digest(*ARTICLES[1:]))) == 2
    assert step(site, next(times), digest(*ARTICLES)) == ["Ferry fares go up"]
    assert given(reader) == 3


def test_from_one_article_to_a_digest_and_back(site: Site, times: Iterator[datetime], reader: Subscriber) -> None:
    first = digest(ARTICLES[0])
    assert step(site, next(times), first) == ["Weekly digest"]
    assert step(site, next(times), digest(*ARTICLES)) == ["Museum ship leaks", "Tug crews vote"]
    assert step(site, next(times), first) == []
    assert step(site, next(times), digest(*ARTICLES)) == []
    assert given(reader) == 3


def test_a_feed_that_is_cut_in_another_way_mails_nothing_again(
    site: Site, times: Iterator[datetime], reader: Subscriber
) -> None:
    assert len(step(site, next(times), digest(*ARTICLES))) == 3
    for mode in ("never", "h3", "auto", "never"):
        Feed.objects.update(cut=mode, body_hash=None, marks=b"")
        assert step(site, next(times), digest(*ARTICLES)) == []
    assert given(reader) == 3
    assert not Item.objects.filter(announced=True).exclude(id__in=DeliveryItem.objects.values("item_id")).exists()


def test_classes_steer_the_cut_reach_no_mail_and_make_no_version(site: Site, times: Iterator[datetime]) -> None:
    html = "<p class='brief x{0}'>One</p><p id='i{0}'>Text one.</p><p class='brief'>Two</p><p>Text two.</p>"
    site.read(digest(html.format(1)), now=next(times))
    Feed.objects.update(cut="p.brief")
    site.read(digest(html.format(2)), now=next(times))
    site.read(digest(html.format(3)), now=next(times))
    kept = [version for version in ItemVersion.objects.order_by("item_id", "n") if version.title != "Weekly digest"]
    assert [(version.title, version.n) for version in kept] == [("One", 1), ("Two", 1)]
    assert not any("class" in version.html or "id=" in version.html for version in ItemVersion.objects.all())


def test_a_text_that_changes_with_each_poll_has_a_limit_of_versions(
    site: Site, times: Iterator[datetime], monkeypatch
) -> None:
    monkeypatch.setattr(diff, "VERSIONS", 3)
    for minutes in range(6):
        site.read(replace(CABLE, html=f"<p>Read {minutes} minutes ago.</p>"), now=next(times))
    assert list(ItemVersion.objects.values_list("n", flat=True).order_by("n")) == [1, 2, 3]
