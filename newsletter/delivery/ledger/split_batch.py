"""Split deliveries off a batch into a new one, copying the attempts that an operator or a rule has waived."""

from collections.abc import Collection
from typing import Any

from django.db.models import F

from newsletter.lib import db
from newsletter.models import Batch, Delivery

#: An SQL condition on `batch`: its mails may have left before, and are sent again on somebody's decision.
HAS_WAIVED_ATTEMPT = "EXISTS (SELECT 1 FROM attempt a WHERE a.batch_id=batch.id AND a.waived_by IS NOT NULL)"

_COPY = """
INSERT INTO attempt (batch_id, n, provider, began_at, ended_at, phase, outcome, not_begun, provider_ref, disproved, waived_by)
SELECT %(new)s, n, provider, began_at, ended_at, phase, outcome, not_begun, NULL, disproved, {word}
FROM attempt WHERE batch_id=%(old)s AND ({which})"""


def new_batch_like(old: Batch, size: int, **values: Any) -> Batch:
    """A planned batch, not stored yet, for some mails of `old`: the same but for `values`."""
    alike = {
        "provider": old.provider,
        "lane": old.lane,
        "occasion_id": old.occasion_id,
        "paced": old.paced,
        "not_before": old.not_before,
        "attempts": old.attempts,
    }
    return Batch(**{**alike, **values}, size=size)


def split_off(old: Batch, delivery_ids: Collection[int], *, word: str | None = None, **values: Any) -> int:
    """Move some mails of `old` into a batch of their own, the same but for `values`; returns its id.

    `word` as for `copy_waived_attempts`. The size goes with them, so that a mail counts in one batch: once for each attempt
    that stands there.
    """
    new = new_batch_like(old, len(delivery_ids), **values)
    new.save(force_insert=True)
    Delivery.objects.filter(id__in=delivery_ids, batch_id=old.id).update(batch_id=new.id)
    Batch.objects.filter(id=old.id).update(size=F("size") - len(delivery_ids))
    copy_waived_attempts(old.id, new.id, word=word)
    return new.id


def copy_waived_attempts(old: int, new: int, *, word: str | None = None) -> None:
    """Copy the waived attempts of batch `old` to `new`; with `word` also the open one, waived by it in the copy alone.

    `deliveries explain` then shows who decided to send a mail a second time, and the mail says that it may be a second copy.
    """
    which, waived_by = "waived_by IS NOT NULL", "waived_by"
    if word is not None:
        which, waived_by = f"{which} OR NOT disproved", "coalesce(waived_by, %(word)s)"
    db.execute(_COPY.format(word=waived_by, which=which), {"old": old, "new": new, "word": word})
