"""Compose what is due."""

import json
from datetime import timedelta

from newsletter.editions import compose, gatherings
from newsletter.models import DeliveryItem, Edition, EditionBody
from tests import factories

NOW = factories.NOW


def alert(composer: compose.Composer, *, chunk: int = 50_000) -> tuple[int, ...]:
    gathering = gatherings.close_alert_gathering(now=NOW, wait=timedelta(0))
    return () if gathering is None else compose.compose(gathering, composer, clock=lambda: NOW, chunk=chunk)


def items_given() -> set[tuple[int, int]]:
    return set(DeliveryItem.objects.values_list("item_id", "subscriber_id"))


def mails() -> list[tuple[Edition, dict[str, str]]]:
    return [
        (
            body.edition,
            json.loads(
                factories.VAULT.decrypt(body.key_id, body.cipher, handle=bytes(body.edition.key), column="body")
            ),
        )
        for body in EditionBody.objects.select_related("edition").order_by("edition_id")
    ]
