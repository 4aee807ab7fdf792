"""How many feeds and mails need somebody: the numbers in the navigation, in three queries for every page of the desk."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.delivery.ledger.needs_decision import needs_decision
from newsletter.feeds.catalogue.unwell_feeds import feeds_in_need
from newsletter.models import BatchState


@dataclass(frozen=True)
class InNeed:
    """`feeds` that need a look, and `mails` that somebody has to decide about: unknown or parked."""

    feeds: int
    mails: int


def in_need(*, now: datetime) -> InNeed:
    """What needs somebody now."""
    mails = needs_decision()
    return InNeed(feeds_in_need(now=now), mails.get(BatchState.UNKNOWN, 0) + mails.get(BatchState.PARKED, 0))
