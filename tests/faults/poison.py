"""The service, with an item that no template can render, and alerts of five hundred: `celery -A tests.faults.poison …`."""

from collections.abc import Sequence
from typing import Any

import newsletter.worker.tasks  # noqa: F401 - first: it sets Django up, before what needs it
from newsletter.delivery.ledger import plan
from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.values import ItemContent, RenderedBlock
from newsletter.models import Lane
from newsletter.worker import tasks
from tests.faults import load
from tests.faults.seed import POISON

SIZE = 500

app = tasks.app
assert app is load.app  # with its clocks turned fast
plan.SIZES[Lane.ALERT] = SIZE
_block = Renderer.render_block


def block(self: Renderer, items: Sequence[ItemContent], *rest: Any) -> RenderedBlock:
    """Render as usual, except the poisoned item."""
    if any(item.title == POISON for item in items):
        raise ZeroDivisionError
    return _block(self, items, *rest)


Renderer.render_block = block  # type: ignore[method-assign]
