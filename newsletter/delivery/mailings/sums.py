"""What became of a mailing in numbers: from the states of its batches, and of the few deliveries with a state of their own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from newsletter.lib import db
from newsletter.models import BatchState

#: A batch counts with its size, so that a million mails cost as little as their batches; then each exception is moved from
#: the state of its batch to its own. One statement: both halves see the ledger at one moment. Exceptions are few, and are
#: counted first, from their index.
_SUMS = """
WITH own AS MATERIALIZED (SELECT batch_id, state, count(*) AS mails FROM delivery WHERE state IS NOT NULL GROUP BY 1, 2)
SELECT b.occasion_id, b.state, b.held_at IS NOT NULL, NULL, sum(b.size) FROM batch b
WHERE {which} GROUP BY 1, 2, 3
UNION ALL
SELECT b.occasion_id, b.state, b.held_at IS NOT NULL, own.state, sum(own.mails) FROM own JOIN batch b ON b.id=own.batch_id
WHERE {which} AND {with_own} GROUP BY 1, 2, 3, 4"""
#: The planner takes an array of unknown length for short, and looks these few batches up; else it reads all of a mailing.
_WITH_OWN_POSTGRES: Final = "b.id=ANY(ARRAY(SELECT batch_id FROM own))"
_WITH_OWN_SQLITE: Final = "b.id IN (SELECT batch_id FROM own)"
_FIELD: Final = {
    BatchState.PLANNED: "waiting",
    BatchState.CLAIMED: "sending",
    BatchState.SENDING: "sending",
    BatchState.ACCEPTED: "accepted",
    BatchState.UNKNOWN: "unknown",
    BatchState.FAILED: "failed",
    BatchState.CANCELLED: "cancelled",
    BatchState.PARKED: "parked",
}
#: In the order in which they are shown.
SUM_FIELDS: Final = ("accepted", "cancelled", "failed", "unknown", "waiting", "sending", "parked")


@dataclass(frozen=True)
class MailingSums:
    """Mails by what became of them."""

    accepted: int = 0
    cancelled: int = 0
    failed: int = 0
    unknown: int = 0
    #: Planned, and no worker holds them.
    waiting: int = 0
    sending: int = 0
    parked: int = 0
    #: Those of `parked` that somebody keeps back.
    held: int = 0

    @property
    def planned(self) -> int:
        """All of them: each counts once."""
        return sum(getattr(self, name) for name in SUM_FIELDS)

    @property
    def gone(self) -> int:
        """Those that left, may have left, or are on their way."""
        return self.accepted + self.failed + self.unknown + self.sending

    @property
    def cancellable(self) -> int:
        """Those that a skip would cancel: they wait, or somebody keeps them back."""
        return self.waiting + self.held

    @property
    def undecided(self) -> int:
        """Those that somebody must decide on: in doubt, or parked for another reason than a hold."""
        return self.unknown + self.parked - self.held


def sums_of(occasion_ids: Sequence[int]) -> Mapping[int, MailingSums]:
    """The sums of these mailings."""
    return _sums(db.in_list("b.occasion_id", "ids"), list(occasion_ids)) if occasion_ids else {}


def notice_sums() -> MailingSums:
    """The sums of all notices that are kept: confirmations, links to preferences."""
    return _sums("b.occasion_id=0 AND b.lane=0", []).get(0, MailingSums())


def field_of(state: str) -> str:
    """The field in which a mail in this state counts."""
    return _FIELD[BatchState(state)]


def _sums(which: str, ids: list[int]) -> Mapping[int, MailingSums]:
    counts: dict[int, Counter[str]] = {occasion_id: Counter() for occasion_id in ids}
    query = _SUMS.format(which=which, with_own=_WITH_OWN_POSTGRES if db.is_postgres() else _WITH_OWN_SQLITE)
    for occasion_id, batch_state, is_held, own_state, mails in db.rows(query, {"ids": ids}):
        fields = [field_of(batch_state)]
        if is_held and batch_state == BatchState.PARKED:
            fields.append("held")
        by_field = counts.setdefault(occasion_id, Counter())
        if own_state is None:
            by_field.update(dict.fromkeys(fields, int(mails)))
        else:
            by_field.subtract(dict.fromkeys(fields, int(mails)))
            by_field[field_of(own_state)] += int(mails)
    return {occasion_id: MailingSums(**by_field) for occasion_id, by_field in counts.items()}
