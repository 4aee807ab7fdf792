"""The usual event handler: the sg_event_id looked up, the delivery fetched, a row saved and a state changed, event by event."""

import json

from newsletter.lib.crypto import Vault
from newsletter.models import Delivery, DeliveryState, Event


def one_by_one(raw: bytes, vault: Vault) -> int:
    """Store a post's events with the ORM, each by itself; returns how many were new. Believes whoever posts."""
    from newsletter.lib import db

    stored = 0
    for event in json.loads(raw):
        found = vault.read_token("delivery", event["d"])
        fingerprint = event["sg_event_id"].encode()
        if found is None or Event.objects.filter(fingerprint=fingerprint).exists():
            continue
        delivery = Delivery.objects.filter(id=found[0]).select_related("batch").first()
        if delivery is None:
            continue
        now = db.now()
        Event.objects.create(
            fingerprint=fingerprint, delivery_id=delivery.id, kind=event["event"], at=now, received_at=now
        )
        if event["event"] == "delivered":
            delivery.state = DeliveryState.ACCEPTED
            delivery.save()
        stored += 1
    return stored
