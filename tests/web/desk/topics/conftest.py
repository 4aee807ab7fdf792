"""Topics with stored items for the workshop's pages."""

from datetime import datetime, timedelta

import pytest

from newsletter import wiring
from newsletter.audit import actor
from newsletter.lib import db
from newsletter.matching import match, rematch
from newsletter.matching.live_index.item_index import ItemIndex
from newsletter.matching.topics import topics
from newsletter.models import IndexState, Item, Topic
from tests import factories

ACTOR = actor.Actor("command", "somebody")


@pytest.fixture(autouse=True)
def _fresh_index(db, monkeypatch: pytest.MonkeyPatch) -> None:
    """Items of other tests have the same numbers."""
    index = ItemIndex()
    monkeypatch.setattr(wiring, "item_index", lambda: index)
    IndexState.objects.get_or_create(id=1)


def stored(*titles: str) -> list[Item]:
    """Items of the last days, matched by no topic yet."""
    now = db.now()
    made = [factories.item(title, "Nothing else.", seen=now - timedelta(days=n + 1)) for n, title in enumerate(titles)]
    Item.objects.update(matched_at=None)
    return made


def add(name: str, query: str, *, ago: timedelta = timedelta(days=60), **values: object) -> Topic:
    made = topics.add_topic(name, query, now=db.now() - ago, actor=ACTOR, **values)
    return Topic.objects.get(id=made.topic_id)


def settle(now: datetime | None = None) -> None:
    """Match everything that is stored."""
    now = now or db.now()
    while match.match_fresh(now=now, index=wiring.topic_index()).items:
        pass
    while rematch.rematch(clock=lambda: now):
        pass


@pytest.fixture
def huawei(db) -> Topic:
    """A topic with three matches among five items."""
    stored("Huawei builds", "A whale", "华为 opens", "Stock of Huawei", "A ship")
    topic = add("Huawei", "Huawei", description="The company.")
    settle()
    return topic
