"""Mailings: alerts, digests and messages as a whole, with their state. Notices are no mailings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, QuerySet

from newsletter.delivery.ledger.needs_decision import UNDECIDED_BATCH
from newsletter.delivery.mailings.sums import MailingSums, sums_of
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import Delivery, Gathering, Message, Occasion, Topic


class MailingState(StrEnum):
    """What a mailing is doing, in a word."""

    #: In doubt, or parked: somebody must decide.
    UNDECIDED = "needs a decision"
    HELD = "on hold"
    #: Nothing of it has left.
    PLANNED = "planned"
    GOING_OUT = "going out"
    FAILED = "done, some failed"
    DONE = "done"


@dataclass(frozen=True)
class MailingRow:
    """A mailing with its sums."""

    id: int
    key: str
    kind: str
    created_at: datetime
    held_at: datetime | None
    #: All of its mails are for one topic, or it is not known that they are not: its numbers say how many follow it.
    one_topic: bool
    #: The name of that topic; empty if there are several, or it is a keyword.
    topic: str
    #: More of it is still put together.
    composing: bool
    sums: MailingSums

    @property
    def state(self) -> MailingState:
        """The most pressing of what holds."""
        return mailing_state(self.sums, held=self.held_at is not None, composing=self.composing)

    def shields(self, threshold: int) -> bool:
        """Whether its numbers are counts of people who have something in common: one topic, or that they are so few."""
        return self.one_topic or self.sums.planned < threshold


def mailing_state(sums: MailingSums, *, held: bool, composing: bool) -> MailingState:
    """The most pressing of what holds. `composing`: more of it is still put together."""
    if sums.undecided:
        return MailingState.UNDECIDED
    if held or sums.held:
        return MailingState.HELD
    if sums.waiting or sums.sending or composing:
        return MailingState.GOING_OUT if sums.gone else MailingState.PLANNED
    return MailingState.FAILED if sums.failed else MailingState.DONE


@dataclass(frozen=True)
class MailingPage:
    """Some mailings, the newest first. `after`: the id to ask with for the next page; None: this is the last one."""

    rows: tuple[MailingRow, ...]
    after: int | None = None


#: `open`: something of it is to come. `done`: nothing is. `failed`: mails of it were refused for good.
FILTERS = ("", "open", "done", "failed")
_UNDECIDED = f"""
SELECT occasion_id FROM batch WHERE {UNDECIDED_BATCH} AND occasion_id<>0
UNION SELECT occasion_id FROM delivery WHERE state='unknown'"""
_FAILED = """
SELECT occasion_id FROM batch WHERE state='failed' AND occasion_id<>0
UNION SELECT occasion_id FROM delivery WHERE state='failed'"""


def mailing_page(*, after: int | None = None, which: str = "", size: int = 25, but: Sequence[int] = ()) -> MailingPage:
    """Mailings that were planned for anybody, below the id `after`; `which` as in `FILTERS`, without the ids in `but`."""
    query = _mailings().exclude(id__in=list(but))
    if after is not None:
        query = query.filter(id__lt=after)
    if which == "failed":
        query = query.filter(id__in=_ids(_FAILED))
    elif which:
        query = query.filter(closed_at__isnull=which == "open")
    occasions = list(query.order_by("-id")[: size + 1])
    return MailingPage(_rows(occasions[:size]), occasions[size - 1].id if len(occasions) > size else None)


def undecided_mailings(limit: int = 100) -> tuple[MailingRow, ...]:
    """The newest mailings with mails in doubt, or parked for another reason than a hold."""
    return _rows(list(_mailings().filter(id__in=_ids(_UNDECIDED)).order_by("-id")[:limit]))


def mailing(key: str | int) -> MailingRow | Refused:
    """One mailing, by its id or its key (`digest:daily:2026-11-23`)."""
    by = {"id": key} if isinstance(key, int) else {"key": key}
    rows = _rows(list(_mailings().filter(**by)[:1]))
    return rows[0] if rows else Refused("there is no such mailing: records are kept for 14 days")


def _ids(sql: str) -> list[int]:
    return [occasion_id for (occasion_id,) in db.rows(sql)]


def _mailings() -> QuerySet[Occasion]:
    return Occasion.objects.exclude(kind=Occasion.Kind.NOTICE).filter(
        Exists(Delivery.objects.filter(occasion=OuterRef("id")))
    )


def _rows(occasions: Sequence[Occasion]) -> tuple[MailingRow, ...]:
    ids = [occasion.id for occasion in occasions]
    sums = sums_of(ids)
    names = dict(
        Topic.objects.filter(id__in={occasion.only_topic_id or 0 for occasion in occasions}).values_list("id", "name")
    )
    composing = set(Gathering.objects.filter(occasion__in=ids, composed_at=None).values_list("occasion_id", flat=True))
    planning = Message.objects.filter(occasion_id__in=ids, state=Message.State.PLANNING)
    composing.update(occasion_id or 0 for occasion_id in planning.values_list("occasion_id", flat=True))
    return tuple(
        MailingRow(
            id=occasion.id,
            key=occasion.key,
            kind=occasion.kind,
            created_at=occasion.created_at,
            held_at=occasion.held_at,
            one_topic=occasion.only_topic_id != 0,
            topic=names.get(occasion.only_topic_id or 0) or "",
            composing=occasion.id in composing,
            sums=sums[occasion.id],
        )
        for occasion in occasions
    )
