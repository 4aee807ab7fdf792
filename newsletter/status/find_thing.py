"""Find what somebody names: a topic, a feed, an item by its number, or a mail by the reference at its foot. Never a person."""

from dataclasses import dataclass
from enum import Enum

from django.db.models import Q

from newsletter.lib.crypto import Vault
from newsletter.lib.mail.references import read_reference, reference
from newsletter.matching.topics.lookup import find_topic
from newsletter.models import Delivery, Feed, Item, Topic

#: Names that are listed when several fit.
MOST = 5


class FoundKind(Enum):
    """What was found."""

    TOPIC = "topic"
    FEED = "feed"
    ITEM = "item"
    DELIVERY = "delivery"


@dataclass(frozen=True)
class FoundThing:
    """A thing that fits; the `name` of a mail is its reference, that of an item is empty."""

    kind: FoundKind
    id: int
    name: str = ""


def find_things(typed: str, vault: Vault) -> list[FoundThing]:
    """What `typed` may mean, at most `MOST`; a name that fits as a whole comes alone. Nothing for an address."""
    wanted = " ".join(typed.split())
    if not wanted or "@" in wanted:
        return []
    return _by_number(wanted, vault) or _by_whole_name(wanted) or _by_part(wanted)


def _by_number(wanted: str, vault: Vault) -> list[FoundThing]:
    number = wanted.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 10:
        return [FoundThing(FoundKind.ITEM, item.id) for item in Item.objects.filter(id=int(number)).only("id")]
    delivery_id = read_reference(wanted, vault)
    if delivery_id and Delivery.objects.filter(id=delivery_id).exists():
        return [FoundThing(FoundKind.DELIVERY, delivery_id, reference(delivery_id, vault))]
    return []


def _by_whole_name(wanted: str) -> list[FoundThing]:
    topic = find_topic(wanted)
    if topic is not None:
        return [FoundThing(FoundKind.TOPIC, topic.id, topic.name or "")]
    feeds = Feed.objects.filter(Q(title__iexact=wanted) | Q(url=wanted)).order_by("id")
    return [
        FoundThing(FoundKind.FEED, feed.id, feed.title or feed.url) for feed in feeds.only("id", "title", "url")[:MOST]
    ]


def _by_part(wanted: str) -> list[FoundThing]:
    topics = Topic.objects.filter(kind=Topic.Kind.CURATED, name__icontains=wanted).order_by("state", "name")
    feeds = Feed.objects.filter(Q(title__icontains=wanted) | Q(url__icontains=wanted)).order_by("title", "id")
    found = [FoundThing(FoundKind.TOPIC, topic.id, topic.name or "") for topic in topics.only("id", "name")[:MOST]]
    found += [
        FoundThing(FoundKind.FEED, feed.id, feed.title or feed.url) for feed in feeds.only("id", "title", "url")[:MOST]
    ]
    return found[:MOST]
