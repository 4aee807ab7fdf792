"""Puts editions together: the renderer, and what composing needs of matching and delivery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from newsletter import delivery_wiring, wiring

if TYPE_CHECKING:
    from newsletter.editions.compose import Composer
    from newsletter.editions.load_content import Explainer
    from newsletter.editions.rendering.renderer import Renderer
    from newsletter.models import Lane


@cache
def renderer() -> Renderer:
    """Return the renderer of mails."""
    from newsletter.editions.rendering.renderer import Renderer
    from newsletter.editions.rendering.values import Frame

    frame = Frame(
        organisation=wiring.config().organisation,
        postal_address=wiring.config().postal_address,
        contact=wiring.config().contact,
        sender=wiring.config().sender_name,
        base_url=wiring.config().base_url,
        letter=wiring.config().brand.letter,
        palette=wiring.config().brand.palette,
    )
    return Renderer(settings.TEMPLATES_DIR / "email", frame)


def composer() -> Composer:
    """Return what composing needs."""
    from newsletter.editions.compose import Composer

    return Composer(renderer=renderer(), explainer=_explainer(), vault=wiring.vault(), plan=_plan)


def _explainer() -> Explainer:
    from newsletter.editions.load_content import Explainer
    from newsletter.lib import urls
    from newsletter.matching.engine.query_index import spans
    from newsletter.matching.topics import reader_feedback, topics

    return Explainer(
        keywords=lambda ids: topics.keywords(ids, vault=wiring.vault()),
        find_words=spans,
        objection_url=lambda item_id, topic_id: urls.url(
            wiring.config().base_url, "objection", reader_feedback.objection_token(item_id, topic_id, wiring.vault())
        ),
    )


def _plan(
    *,
    occasion_id: int,
    lane: Lane,
    shares: Sequence[tuple[int, Sequence[int], str | None]],
    items_given: Sequence[tuple[int, int, Sequence[int]]],
    audience: int,
    now: datetime,
) -> tuple[int, ...]:
    """Plan each provider's share in batches of its own; `items_given` is stored with the first, in its transaction."""
    from newsletter.delivery.ledger.plan import Share, plan
    from newsletter.delivery.routing import rules

    whole = [Share(edition_id, people, parked) for edition_id, people, parked in shares]
    parts = rules.split_by_provider(whole, list(delivery_wiring.planned_providers()), wiring.vault())
    ids: tuple[int, ...] = ()
    for number, part in parts.items():
        ids += plan(
            occasion_id=occasion_id,
            lane=lane,
            shares=part,
            items_given=items_given,
            audience=audience,
            provider=delivery_wiring.planned_providers()[number],
            now=now,
        )
        items_given = ()
    return ids


def gather() -> timedelta:
    """Return how long a fresh match waits for others."""
    return timedelta(seconds=wiring.config().gather)
