"""Plan the mails of notices that wait: confirmations and links, rendered once per kind, look and topics that were merged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Case, When

from newsletter.editions.compose import Composer
from newsletter.editions.edition_store import EditionDraft, body_json, edition_key, store_editions
from newsletter.editions.load_content import look_of
from newsletter.lib import db
from newsletter.models import BatchState, Lane, Look, Notice, Occasion, Subscription

#: A flood of sign-ups writes many of these: they must not hold up the others.
_ASKED_BY_ANYBODY: Final = (Notice.Kind.CONFIRM, Notice.Kind.ADD)
#: Notices planned in one call.
_AT_ONCE: Final = 200
_OUTSTANDING: Final = f"""
SELECT count(*) FROM batch b JOIN occasion o ON o.id=b.occasion_id
WHERE b.state='{BatchState.PLANNED}' AND b.lane={Lane.DIGEST.value} AND o.kind='notice'"""


def plan_notices(composer: Composer, *, now: datetime) -> tuple[int, ...]:
    """Plan the delivery of notices that have none, those of confirmed people first; returns the ids of the batches.

    Repeatable: if it planned some, there may be more. Those about merged topics come last, in the lane of digests, and only some
    at a time: nobody waits for them, and there may be very many.
    """
    last = Case(When(kind__in=_ASKED_BY_ANYBODY, then=1), default=0)
    waiting = Notice.objects.filter(planned_at=None, used_at=None, expires_at__gt=now).select_related(
        "subscriber__look"
    )
    batches: list[int] = []
    for notice in waiting.exclude(kind=Notice.Kind.MOVED).order_by(last, "id")[:_AT_ONCE]:
        batches.extend(_plan(notice, composer, now))
    if not batches:
        told = list(waiting.filter(kind=Notice.Kind.MOVED).order_by("id")[: max(0, _AT_ONCE - _outstanding())])
        moved = _moved(told)
        for notice in told:
            batches.extend(_plan(notice, composer, now, moved[notice.id]))
    return tuple(batches)


def _outstanding() -> int:
    """How many notices about merged topics are planned and not sent."""
    count: int = db.rows(_OUTSTANDING)[0][0]
    return count


def _moved(notices: Sequence[Notice]) -> dict[int, list[tuple[str, str]]]:
    """Notice id → the topics that the person followed and that were merged since the notice was written, with the new ones."""
    merged = Subscription.objects.filter(
        subscriber_id__in=[notice.subscriber_id for notice in notices],
        ended_reason=Subscription.EndedReason.MERGED,
        topic__merged_into__isnull=False,
    ).order_by("topic__name")
    rows = list(merged.values_list("subscriber_id", "ended_at", "owed_from", "topic__name", "topic__merged_into__name"))
    # one that began with a merge was never chosen: it was merged twice before the person heard of it
    return {
        notice.id: [
            (old or "", new or "")
            for subscriber_id, ended_at, owed_from, old, new in rows
            if subscriber_id == notice.subscriber_id and ended_at and ended_at >= notice.created_at > owed_from
        ]
        for notice in notices
    }


def _plan(notice: Notice, composer: Composer, now: datetime, moved: Sequence[tuple[str, str]] = ()) -> tuple[int, ...]:
    draft = _draft(notice.kind, notice.subscriber.look, composer, now, moved)
    try:
        with transaction.atomic():
            if not Notice.objects.filter(id=notice.id, planned_at=None).update(planned_at=now):
                return ()
            occasion = Occasion.objects.create(kind=Occasion.Kind.NOTICE, key=f"notice:{notice.id}", created_at=now)
            ids = store_editions([draft], Occasion.Kind.NOTICE, composer.vault, now)
            return composer.plan(
                occasion_id=occasion.id,
                lane=Lane.DIGEST if notice.kind == Notice.Kind.MOVED else Lane.NOTICE,
                shares=[(ids[draft.key], [notice.subscriber_id], None)],
                items_given=[],
                audience=1,
                now=now,
            )
    except IntegrityError:
        # another worker plans the same edition or notice at this moment: the next tick finds what is left
        return ()


def _draft(
    kind: str, look: Look, composer: Composer, now: datetime, moved: Sequence[tuple[str, str]] = ()
) -> EditionDraft:
    """The edition of a kind of notice; a new one every day, so that its body is never too old."""
    mail = composer.renderer.render_notice(kind, look_of(look), moved)
    content = [kind, *moved] if moved else kind
    key = edition_key("notice", f"{now:%Y-%m-%d}", look.id, composer.renderer.revision, content)
    return EditionDraft(key, look.id, kind, body_json(mail.subject, mail.text, mail.html))
