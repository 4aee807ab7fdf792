"""Retention rules, and deletion of rows in short pieces, so that no statement blocks others for long."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet

from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue, never_stop

#: Rows per statement, each of which is a transaction.
PIECE = 5_000

#: (now, should_continue) → number of deleted rows by table. May run several times, also at once.
Prune = Callable[[datetime, ShouldContinue], dict[str, int]]
Params = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table of a rule. `overdue` returns the rows that are older than the rule allows; None means that all are kept."""

    model: type[Model]
    overdue: Callable[[datetime], QuerySet[Any]] | None = None


@dataclass(frozen=True)
class Rule:
    """How long something is kept: a line of the table in docs/privacy.md. `prune` deletes what is older."""

    stored: str
    how: str
    kept: str
    why: str
    tables: tuple[Table, ...] = ()
    prune: Prune | None = None


def days(span: timedelta) -> str:
    """Format a span: `14 days`, `1 day`."""
    return f"{span.days} day{'' if span.days == 1 else 's'}"


class InPieces:
    """Deletes rows, at most `piece` in one statement, while `should_continue` returns True."""

    def __init__(self, should_continue: ShouldContinue = never_stop, piece: int = PIECE) -> None:
        self._should_continue = should_continue
        self._piece = piece

    def by_key(self, table: str, key: str, where: str, params: Params, *, only: str = "true") -> int:
        """Delete the rows that meet `where` and `only`, in the order of a key; `only` is not used to find them."""
        deleted, low = 0, -1
        piece = f'SELECT {key} FROM "{table}" WHERE {key}>%(low)s AND {where} ORDER BY {key} LIMIT {self._piece}'
        while self._should_continue():
            high = db.rows(f"SELECT max(c.{key}) FROM ({piece}) c", params | {"low": low})[0][0]
            if high is None:
                break
            deleted += db.execute(
                f'DELETE FROM "{table}" WHERE {key}>%(low)s AND {key}<=%(high)s AND {where} AND {only}',
                params | {"low": low, "high": high},
            )
            low = high
        return deleted

    def older(self, table: str, key: str, moment: str, before: datetime) -> int:
        """Delete the rows whose `moment` is before `before`; the column has an index."""
        old = f"{moment}<%(before)s"
        piece = f'SELECT {key} FROM "{table}" WHERE {old} ORDER BY {moment} LIMIT {self._piece}'
        return self._repeat(f'DELETE FROM "{table}" WHERE {key} IN ({piece}) AND {old}', {"before": before})

    def oldest(self, table: str, moment: str, before: datetime) -> int:
        """As `older`, for a table whose ids grow with the moment, so its first rows are the oldest and no index is needed."""
        # with the end of the piece as one value, this is a range of the primary key
        upto = f'SELECT max(f.id) FROM (SELECT id FROM "{table}" ORDER BY id LIMIT {self._piece}) f'
        return self._repeat(f'DELETE FROM "{table}" WHERE id<=({upto}) AND {moment}<%(before)s', {"before": before})

    def _repeat(self, delete: str, params: Params) -> int:
        deleted = 0
        while self._should_continue():
            rows = db.execute(delete, params)
            if not rows:
                break
            deleted += rows
        return deleted
