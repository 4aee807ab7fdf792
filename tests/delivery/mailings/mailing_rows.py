"""A mailing with editions of chosen sizes, planned as a composer plans it."""

import hashlib
import itertools
from collections.abc import Sequence

from django.db import transaction

from newsletter.delivery.ledger.plan import PlannedProvider, Share, plan
from newsletter.editions.edition_store import EditionDraft, body_json, store_editions
from newsletter.models import Gathering, Lane, Occasion, Topic
from tests import factories

_numbers = itertools.count(1)
HTML = (
    "<html><head><style>@media (prefers-color-scheme: dark) { .card { color: #fff } }</style></head>"
    "<body><p class=card>Words of the mail</p><a href='@@nl-unsubscribe@@'>Unsubscribe</a> @@nl-reference@@</body></html>"
)


def mailing(
    *sizes: int,
    kind: str = "alert",
    topics: Sequence[Topic] = (),
    provider: PlannedProvider = factories.OUTBOX,
    only_topic: bool = False,
) -> Occasion:
    """One edition for each size, each with an item of its own; all for `topics`, or for a new one."""
    topics = topics or [factories.topic()]
    number = next(_numbers)
    key = f"digest:daily:2026-11-{number % 28 + 1:02d}" if kind == "digest" else f"{kind}:{number}"
    occasion = Occasion.objects.create(
        kind=kind,
        key=key,
        created_at=factories.NOW,
        only_topic_id=topics[0].id if only_topic else 0,
    )
    Gathering.objects.create(occasion=occasion, cut_at=factories.NOW, composed_at=factories.NOW)
    drafts = []
    for size in sizes:
        item = factories.item(f"Item for {size}")
        content = ((item.id, 1, tuple(topic.id for topic in topics)),)
        digest = hashlib.sha256(f"{number} {item.id}".encode()).digest()
        body = body_json("Your update", "Words @@nl-reference@@ @@nl-unsubscribe@@", HTML)
        drafts.append(EditionDraft(digest, factories.look().id, content, body))
    with transaction.atomic():
        ids = store_editions(drafts, kind, factories.VAULT, factories.NOW)
        plan(
            occasion_id=occasion.id,
            lane=Lane.DIGEST if kind == "digest" else Lane.ALERT,
            shares=[
                Share(ids[draft.key], [factories.subscriber().id for _ in range(size)])
                for draft, size in zip(drafts, sizes, strict=True)
            ],
            items_given=[],
            provider=provider,
            now=factories.NOW,
        )
    return occasion
