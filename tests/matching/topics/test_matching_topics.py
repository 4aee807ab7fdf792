"""Which curated topics a text would match that is not stored."""

import pytest

from newsletter.lib import db
from newsletter.matching.engine.document import Document
from newsletter.matching.topics.matching_topics import matching_topics
from newsletter.models import Topic
from tests import factories

pytestmark = pytest.mark.django_db


def test_topics_are_named_with_their_words_and_others_left_out(django_assert_max_num_queries):
    cables, ships = factories.topic("Cables", query="huawei"), factories.topic("Ships", query="ship OR cable")
    factories.topic("Retired", query="huawei")
    Topic.objects.filter(name="Retired").update(state="retired")
    Topic.objects.filter(id=ships.id).update(held_since=db.now())
    with django_assert_max_num_queries(4):
        first, second = matching_topics(
            [Document("Huawei lays a cable", "By ship."), Document("Nothing", "of interest")]
        )
    assert [(topic.topic_id, topic.name, topic.held) for topic in first] == [
        (cables.id, "Cables", False),
        (ships.id, "Ships", True),
    ]
    assert first[0].words == ("“Huawei”",) and second == ()
