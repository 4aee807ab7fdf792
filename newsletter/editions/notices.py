"""Plan the mails of notices that wait: confirmations and links, rendered once per kind and look."""

from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Case, When

from newsletter.editions.compose import Composer
from newsletter.editions.edition_store import EditionDraft, body_json, edition_key, store_editions
from newsletter.editions.load_content import look_of
from newsletter.models import Lane, Look, Notice, Occasion

#: A flood of sign-ups writes many of these: they must not hold up the others.
_ASKED_BY_ANYBODY: Final = (Notice.Kind.CONFIRM, Notice.Kind.ADD)
#: Notices planned in one call.
_AT_ONCE: Final = 200


def plan_notices(composer: Composer, *, now: datetime) -> tuple[int, ...]:
    """Plan the delivery of notices that have none, those of confirmed people first; returns the ids of the batches.

    Repeatable: if it planned some, there may be more.
    """
    last = Case(When(kind__in=_ASKED_BY_ANYBODY, then=1), default=0)
    waiting = Notice.objects.filter(planned_at=None, used_at=None, expires_at__gt=now).order_by(last, "id")
    batches: list[int] = []
    for notice in waiting.select_related("subscriber__look")[:_AT_ONCE]:
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
                items_given=[],
                audience=1,
                now=now,
            )
    except IntegrityError:
        # another worker plans the same edition or notice at this moment: the next tick finds what is left
        return ()


def _draft(kind: str, look: Look, composer: Composer, now: datetime) -> EditionDraft:
    """The edition of a kind of notice; a new one every day, so that its body is never too old."""
    mail = composer.renderer.render_notice(kind, look_of(look))
    key = edition_key("notice", f"{now:%Y-%m-%d}", look.id, composer.renderer.revision, kind)
    return EditionDraft(key, look.id, kind, body_json(mail.subject, mail.text, mail.html))
