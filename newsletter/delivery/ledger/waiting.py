"""Count the mails that are still to be handed over."""

from django.db.models import Sum

from newsletter.models import Batch, BatchState


def waiting_mails() -> int:
    """How many mails are planned, or held by a worker that has not begun with them; none that is in doubt or parked."""
    waiting = Batch.objects.filter(state__in=(BatchState.PLANNED, BatchState.CLAIMED))
    return int(waiting.aggregate(mails=Sum("size"))["mails"] or 0)
