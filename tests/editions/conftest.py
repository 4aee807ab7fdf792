"""The composer of the tests of editions."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest
from django.conf import settings

from newsletter.delivery.ledger.plan import PlannedProvider, Share, plan
from newsletter.editions import compose
from newsletter.editions.load_content import Explainer
from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.values import Frame
from newsletter.lib.colors import palette
from tests import factories

FRAME = Frame(
    organisation="The Digest",
    postal_address="1 Road, Town",
    contact="people@example.org",
    sender="The Digest",
    base_url="https://news.example.org",
    letter="D",
    palette=palette("#17594a"),
)


def no_keywords(_ids: Collection[int]) -> Mapping[int, str]:
    return {}


def no_spans(_query: str, _title: str, _text: str) -> Sequence:
    return ()


def objection_url(item_id: int, topic_id: int) -> str:
    return f"https://news.example.org/objection/{item_id}-{topic_id}"


def _plan(*, occasion_id, lane, shares, items_given, audience, now):
    wanted = [Share(*share) for share in shares]
    provider = PlannedProvider(1, one_letter=False)
    return plan(
        occasion_id=occasion_id,
        lane=lane,
        shares=wanted,
        items_given=items_given,
        audience=audience,
        provider=provider,
        now=now,
    )


@pytest.fixture(scope="module")
def composer() -> compose.Composer:
    return compose.Composer(
        renderer=Renderer(Path(settings.TEMPLATES_DIR) / "email", FRAME),
        explainer=Explainer(keywords=no_keywords, find_words=no_spans, objection_url=objection_url),
        vault=factories.VAULT,
        plan=_plan,
    )
