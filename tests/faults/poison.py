"""The service, with an item that no template can word, and alerts of five hundred: `celery -A tests.faults.poison …`."""

from collections.abc import Sequence
from typing import Any

from newsletter import tasks
from newsletter.delivery import plan
from newsletter.editions.parts import Block, Piece
from newsletter.editions.render import Wording
from newsletter.models import Lane
from tests.faults import rush
from tests.faults.seed import POISON

SIZE = 500

app = tasks.app
assert app is rush.app  # with its clocks turned fast
plan.SIZES[Lane.ALERT] = SIZE
_block = Wording.block


def block(self: Wording, pieces: Sequence[Piece], *rest: Any) -> Block:
    """As it is, but for the one."""
    if any(piece.title == POISON for piece in pieces):
        raise ZeroDivisionError
    return _block(self, pieces, *rest)


Wording.block = block  # type: ignore[method-assign]
