"""The story of one delivery, found by its reference: what happened when, what was in it and why; never for whom it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.delivery.mailings.edition_items import StoryItem, content_of, edition_items
from newsletter.lib.crypto import Vault
from newsletter.lib.mail import provider_ids
from newsletter.lib.mail.references import read_reference, reference
from newsletter.models import Attempt, BatchState, Consent, Delivery, Event, Gathering, Match


@dataclass(frozen=True)
class StoryStep:
    """Something that happened to a delivery. `detail`: a provider, a code or an operator's words."""

    at: datetime
    what: str
    detail: str = ""


@dataclass(frozen=True)
class DeliveryStory:
    """Everything that is known of one delivery but for whom it is."""

    reference: str
    occasion: str
    occasion_id: int
    planned_at: datetime
    state: str
    reason: str | None
    batch_id: int
    items: tuple[StoryItem, ...]
    attempts: tuple[Mapping[str, object], ...]
    events: tuple[Mapping[str, object], ...]
    #: In the order of time. Nothing in it depends on what the person follows.
    steps: tuple[StoryStep, ...]
    #: When the items matched.
    matched: tuple[StoryStep, ...]
    #: When the person agreed, and to what; empty if they were erased.
    consents: tuple[StoryStep, ...]


def explain(typed: str, vault: Vault) -> DeliveryStory | None:
    """What is known of the mail with this reference. Returns None if it is mistyped or no longer kept."""
    delivery_id = read_reference(typed, vault)
    return delivery_story(delivery_id, vault) if delivery_id else None


def delivery_story(delivery_id: int, vault: Vault) -> DeliveryStory | None:
    """What is known of a delivery. Returns None if it is no longer kept."""
    delivery = Delivery.objects.select_related("batch", "edition", "occasion").filter(id=delivery_id).first()
    if delivery is None:
        return None
    occasion = delivery.occasion
    attempts = tuple(
        Attempt.objects.filter(batch_id=delivery.batch_id)
        .order_by("n")
        .values("n", "provider", "began_at", "ended_at", "outcome", "phase", "disproved", "waived_by")
    )
    events = tuple(Event.objects.filter(delivery_id=delivery.id).order_by("id").values("kind", "at", "detail"))
    items = edition_items(content_of(delivery.edition))
    steps = sorted(
        [
            *_before(delivery),
            *_hand_overs(delivery, attempts),
            *(StoryStep(row["at"], row["kind"], row["detail"]) for row in events),
        ],
        key=lambda step: step.at,
    )
    return DeliveryStory(
        reference=reference(delivery.id, vault),
        occasion=occasion.key,
        occasion_id=occasion.id,
        planned_at=occasion.created_at,
        state=delivery.state or delivery.batch.state,
        reason=delivery.reason or delivery.batch.reason,
        batch_id=delivery.batch_id,
        items=items,
        attempts=attempts,
        events=events,
        steps=tuple(steps),
        matched=_matched(items),
        consents=tuple(
            StoryStep(row.at, "agreed", row.what)
            for row in Consent.objects.filter(subscriber_id=delivery.subscriber_id).order_by("at", "id")
        ),
    )


def _before(delivery: Delivery) -> Iterator[StoryStep]:
    """Gathered and planned, by the times of its edition: which of a digest's gatherings it was says where the person lives."""
    planned_at = delivery.edition.created_at
    gathering = (
        Gathering.objects.filter(occasion=delivery.occasion_id, cut_at__lte=planned_at).order_by("-cut_at").first()
    )
    if gathering is not None:
        yield StoryStep(gathering.cut_at, "gathered")
    yield StoryStep(planned_at, "planned")


def _hand_overs(delivery: Delivery, attempts: tuple[Mapping[str, object], ...]) -> Iterator[StoryStep]:
    for row in attempts:
        began_at, ended_at = row["began_at"], row["ended_at"]
        waived = f"waived by {row['waived_by']}" if row["waived_by"] else ""
        if isinstance(began_at, datetime):
            yield StoryStep(began_at, "handed over", provider_ids.name_of(int(str(row["provider"]))))
        if isinstance(ended_at, datetime):
            yield StoryStep(ended_at, str(row["outcome"]), waived)
    if delivery.batch.state == BatchState.CLAIMED and delivery.state is None and delivery.batch.lease_until:
        yield StoryStep(delivery.batch.lease_until, "claimed until")


def _matched(items: tuple[StoryItem, ...]) -> tuple[StoryStep, ...]:
    pairs = {(item.item_id, topic.topic_id): topic for item in items for topic in item.topics}
    matches = Match.objects.filter(
        item_id__in={item_id for item_id, _ in pairs}, topic_id__in={topic_id for _, topic_id in pairs}
    ).order_by("matched_at", "id")
    return tuple(
        StoryStep(match.matched_at, "matched", pairs[match.item_id, match.topic_id].name or "a keyword of their own")
        for match in matches
        if (match.item_id, match.topic_id) in pairs
    )
