"""Every table, the states and which may follow which; one file per room."""

from newsletter.models.delivery import (
    Attempt,
    Batch,
    Breaker,
    Delivery,
    DeliveryItem,
    Event,
    Gate,
    Pulse,
    SoftBounce,
)
from newsletter.models.editions import Edition, EditionBody, Gathering, Occasion
from newsletter.models.feeds import Citation, Entry, Feed, Fetch, Host, Incident, Item, ItemVersion, Story
from newsletter.models.matching import AliasPack, Anchor, IndexState, Match, Topic, TopicRevision
from newsletter.models.states import BatchState, Cadence, DeliveryState, Lane
from newsletter.models.subscribers import (
    Consent,
    Look,
    Notice,
    Rhythm,
    Subscriber,
    Subscription,
    Suppression,
)

__all__ = [
    "AliasPack",
    "Anchor",
    "Attempt",
    "Batch",
    "BatchState",
    "Breaker",
    "Cadence",
    "Citation",
    "Consent",
    "Delivery",
    "DeliveryItem",
    "DeliveryState",
    "Edition",
    "EditionBody",
    "Entry",
    "Event",
    "Feed",
    "Fetch",
    "Gate",
    "Gathering",
    "Host",
    "Incident",
    "IndexState",
    "Item",
    "ItemVersion",
    "Lane",
    "Look",
    "Match",
    "Notice",
    "Occasion",
    "Pulse",
    "Rhythm",
    "SoftBounce",
    "Story",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Topic",
    "TopicRevision",
]
