"""Rules of retention, and the deletion of rows in short pieces: no statement holds others up for long."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet

from newsletter.lib import db
from newsletter.lib.progress import GoingOn, never_stop

#: Rows in one statement, each a transaction of its own: nobody waits for more than one of them.
PIECE = 5_000

#: (now, going on) → rows that went, by table. Repeatable; several at once delete each row once.
Prune = Callable[[datetime, GoingOn], dict[str, int]]
Params = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table that a rule speaks of. `overdue` gives the rows that are older than the rule allows; None: they are kept."""

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
    """A span in words: `14 days`, `1 day`."""
    return f"{span.days} day{'' if span.days == 1 else 's'}"


class InPieces:
    """Deletes rows, `piece` at most in one statement, for as long as `going_on` says so."""

    def __init__(self, going_on: GoingOn = never_stop, piece: int = PIECE) -> None:
        self._going_on = going_on
        self._piece = piece

    def by_key(self, table: str, key: str, where: str, params: Params, *, only: str = "true") -> int:
        """Delete the rows that meet `where` and `only`, in the order of a key: what meets `where` is found without `only`."""
        gone, low = 0, -1
        found = f'SELECT {key} FROM "{table}" WHERE {key}>%(low)s AND {where} ORDER BY {key} LIMIT {self._piece}'
        while self._going_on():
            high = db.rows(f"SELECT max(c.{key}) FROM ({found}) c", params | {"low": low})[0][0]
            if high is None:
                break
            gone += db.execute(
                f'DELETE FROM "{table}" WHERE {key}>%(low)s AND {key}<=%(high)s AND {where} AND {only}',
                params | {"low": low, "high": high},
            )
            low = high
        return gone

    def older(self, table: str, key: str, moment: str, before: datetime) -> int:
        """Delete the rows whose `moment` is before; the column has an index."""
        old = f"{moment}<%(before)s"
        found = f'SELECT {key} FROM "{table}" WHERE {old} ORDER BY {moment} LIMIT {self._piece}'
        return self._again(f'DELETE FROM "{table}" WHERE {key} IN ({found}) AND {old}', {"before": before})

    def oldest(self, table: str, moment: str, before: datetime) -> int:
        """As `older`, of a table whose ids grow with the moment: its oldest rows are its first, and no index is needed."""
        # asked as one value, the end of the piece makes it a range of the primary key
        upto = f'SELECT max(f.id) FROM (SELECT id FROM "{table}" ORDER BY id LIMIT {self._piece}) f'
        return self._again(f'DELETE FROM "{table}" WHERE id<=({upto}) AND {moment}<%(before)s', {"before": before})

    def _again(self, delete: str, params: Params) -> int:
        gone = 0
        while self._going_on():
            done = db.execute(delete, params)
            if not done:
                break
            gone += done
        return gone
