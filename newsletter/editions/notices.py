"""Notices that wait in, planned mails out: confirmations and links, worded once per kind and look."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Case, When

from newsletter.editions.compose import Composer, Draft, as_body, edition_key, store_editions
from newsletter.editions.rendering.renderer import Look
from newsletter.models import Lane, Notice, Occasion
from newsletter.models import Look as LookRow

#: A flood of sign-ups brings many of these: they must not stand in the way of the others.
_ASKED_BY_ANYBODY = (Notice.Kind.CONFIRM, Notice.Kind.ADD)


def plan_notices(composer: Composer, *, now: datetime, limit: int = 200) -> tuple[int, ...]:
    """Plan the delivery of notices that have none, those of confirmed people first; returns the ids of the batches.

    Repeatable: when some were planned, there may be more.
    """
    last = Case(When(kind__in=_ASKED_BY_ANYBODY, then=1), default=0)
    waiting = Notice.objects.filter(planned_at=None, used_at=None, expires_at__gt=now).order_by(last, "id")[:limit]
    batches: list[int] = []
    for notice in waiting.select_related("subscriber__look"):
        batches.extend(_plan(notice, composer, now))
    return tuple(batches)


def _plan(notice: Notice, composer: Composer, now: datetime) -> tuple[int, ...]:
    draft = _draft(notice.kind, notice.subscriber.look, composer, now)
    try:
        with transaction.atomic():
            if not Notice.objects.filter(id=notice.id, planned_at=None).update(planned_at=now):
                return ()
            occasion = Occasion.objects.create(kind=Occasion.Kind.NOTICE, key=f"notice:{notice.id}", created_at=now)
            ids = store_editions([draft], Occasion.Kind.NOTICE, composer.vault, now)
            return composer.plan(
                occasion_id=occasion.id,
                lane=Lane.NOTICE,
                shares=[(ids[draft.key], [notice.subscriber_id], None)],
                given=[],
                audience=1,
                now=now,
            )
    except (
        IntegrityError
    ):  # another worker plans the same edition or notice at this moment: the next tick sees what is left
        return ()


def _draft(kind: str, row: LookRow, composer: Composer, now: datetime) -> Draft:
    """The edition of a kind of notice; a new one every day, so that its body is always there."""
    words = composer.wording.notice(kind, Look(locale=row.locale, format=row.format, discreet=row.discreet))
    key = edition_key("notice", f"{now:%Y-%m-%d}", row.id, composer.wording.revision, kind)
    return Draft(key, row.id, kind, as_body(words.subject, words.text, words.html))
