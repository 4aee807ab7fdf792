"""Row 23: a feed that makes up entries without end fills neither tables nor mailboxes. (A daily cap per person is not built.)"""

from datetime import timedelta

import pytest

from newsletter.feeds.parsing.model import ENTRY_CAP
from newsletter.models import Entry, Topic, TopicRevision
from tests import factories
from tests.feeds.fake_site import Post, Site, hours

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(httpserver) -> Site:
    made = Site(httpserver)
    topic = Topic.objects.create(kind="curated", name="Uyghur", slug="uyghur", created_at=factories.NOW)
    revision = TopicRevision.objects.create(topic=topic, n=1, query="Uyghur", made_at=factories.NOW)
    Topic.objects.filter(id=topic.id).update(revision_id=revision.id)
    factories.follow(factories.subscriber(), topic)
    return made


def test_of_a_feed_with_thousands_of_entries_the_newest_few_hundred_are_read(site: Site) -> None:
    at = next(hours())
    posts = [Post(f"g{n}", f"Title {n}", f"<p>Text {n}.</p>", at - timedelta(minutes=n)) for n in range(700)]
    site.read(*posts, now=at)
    assert Entry.objects.count() == ENTRY_CAP


def test_the_same_story_under_a_new_guid_at_each_poll_is_mailed_once(site: Site) -> None:
    mails = []
    for number, at in zip(range(4), hours(), strict=False):
        site.read(
            Post(f"random-{number}", "A label for Uyghur faces", "<p>A group read the code of Uyghur cameras.</p>"),
            now=at,
        )
        mails += site.mail(at)
    assert len(mails) == 1


def test_whatever_comes_at_once_is_one_mail(site: Site) -> None:
    at = next(hours())
    site.read(*(Post(f"g{n}", f"Uyghur {n}", f"<p>Story number {n} of Uyghur towns.</p>") for n in range(60)), now=at)
    assert len(site.mail(at)) == 1
