"""Why an item matched topics, which it nearly matched, and in how many people's mail it is."""

from datetime import timedelta

import pytest

from newsletter.matching.engine.document import Document
from newsletter.matching.items import near_misses, receipts
from newsletter.matching.topics.audience import people_who_may_be_mailed
from newsletter.models import DeliveryItem, Match, Topic
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DOCUMENT = Document("Huawei builds a cable", "A company lays cables near Harbin.")


def test_topics_that_match_and_nearly_match() -> None:
    factories.topic("Cables", query="cable")
    held = factories.topic("Held", query="Huawei")
    Topic.objects.filter(id=held.id).update(held_since=NOW)
    factories.topic("Sanctions", query="Huawei AND (sanctions OR embargo)")
    factories.topic("Not Harbin", query="cable NOT Harbin")
    factories.topic("Far", query="Huawei AND stocks AND banks")
    factories.topic("Other", query="banks")
    fit = near_misses.fit_topics(DOCUMENT)
    assert [(match.name, match.held) for match in fit.matches] == [("Cables", False), ("Held", True)]
    near = {miss.name: miss for miss in fit.near}
    assert set(near) == {"Sanctions", "Not Harbin"}
    assert (near["Sanctions"].present, near["Sanctions"].missing) == (("Huawei",), ("sanctions", "embargo"))
    assert (near["Not Harbin"].present, near["Not Harbin"].excluded) == (("cable",), ("Harbin",))
    assert (fit.asked, fit.topics) == (6, 6)
    assert near_misses.fit_topics(DOCUMENT, seconds=0).asked < 6


def test_receipts_say_what_became_of_a_match_and_shield_people() -> None:
    item = factories.item()
    topic, other = factories.topic("Huawei"), factories.topic("Gone")
    factories.match(item, topic)
    gone = factories.match(item, other)
    Match.objects.filter(id=gone.id).update(withdrawn_at=NOW)
    for number in range(12):
        reader = factories.subscriber()
        factories.follow(reader, topic)
        if number < 3:
            factories.follow(reader, other)
        DeliveryItem.objects.create(item_id=item.id, subscriber_id=reader.id, version=1)
    rows = receipts.receipts(item, now=NOW, threshold=10)
    assert [(row.name, row.fate, str(row.people)) for row in rows] == [
        ("Huawei", "owed", "10"),
        ("Gone", "withdrawn", "fewer than 10"),
    ]
    assert [word.word for word in rows[0].words] == ["Huawei"]
    assert str(receipts.mailed(item, now=NOW, threshold=10)) == "10"
    later = receipts.receipts(item, now=NOW + timedelta(days=30), threshold=10)
    assert later[0].people is None
    assert receipts.mailed(item, now=NOW + timedelta(days=30), threshold=10) is None


def test_people_who_may_be_mailed_are_counted_once() -> None:
    one, two = factories.topic(), factories.topic()
    for values in ({}, {}, {"paused_until": NOW + timedelta(days=1)}, {"state": "left"}):
        reader = factories.subscriber(**values)  # type: ignore[arg-type]
        factories.follow(reader, one)
        factories.follow(reader, two)
    assert people_who_may_be_mailed([one.id, two.id], now=NOW) == 2
    assert people_who_may_be_mailed([], now=NOW) == 0
