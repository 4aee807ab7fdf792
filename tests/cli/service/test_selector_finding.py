"""doctor names feeds that are not cut any more because of their selector."""

import pytest

from newsletter.cli.service.doctor.examine import examine
from newsletter.models import Feed
from tests import factories

pytestmark = pytest.mark.django_db


def test_doctor_says_which_selector_to_replace() -> None:
    feed = Feed.objects.create(url="https://a.example/feed", created_at=factories.NOW, next_fetch_at=factories.NOW)
    name = f"feed {feed.id}"
    assert not [finding for finding in examine() if finding.what == name]
    Feed.objects.filter(id=feed.id).update(cut="p:-soup-contains('x')")
    (finding,) = [finding for finding in examine() if finding.what == name]
    assert finding.verdict == "fail" and f"newsletter feeds edit {feed.id} --cut" in finding.message
