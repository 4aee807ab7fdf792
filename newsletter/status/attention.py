"""Read what tells whether something needs attention: in few indexed queries, whose number does not grow with the tables."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Count

from newsletter import wiring
from newsletter.delivery.feedback import reputation
from newsletter.delivery.gates import circuit_breaker, sending_gate
from newsletter.delivery.ledger.needs_decision import needs_decision
from newsletter.delivery.routing.provider_status import ProviderStatus, provider_statuses
from newsletter.delivery.sending import workers
from newsletter.editions import left_over
from newsletter.feeds.catalogue.unwell_feeds import FeedsHealth, read_health
from newsletter.feeds.storage import incidents
from newsletter.lib import db
from newsletter.matching.topics.topic_needs import TopicNeed, topic_needs
from newsletter.models import Feed, Gathering, Message, Pulse, Subscriber, Topic, Worker
from newsletter.status.remembered import Remembered
from newsletter.subscribers.limits import notice_budget

#: If no worker has looked for due work for so long, nothing is sent.
SILENT = timedelta(seconds=120)
_UNDECIDED = (Message.State.PARKED, Message.State.ASKED)
#: Digests that were skipped are told for so long.
SKIPPED = timedelta(days=7)


@dataclass(frozen=True)
class Attention:
    """The state of the service at `now`, as far as somebody may have to do something about it."""

    now: datetime
    #: When a worker last looked for due work; None: never.
    last_look_at: datetime | None
    processes: list[Worker]
    sending_paused_by: str | None
    providers: list[ProviderStatus]
    left_alone: list[circuit_breaker.OpenBreaker]
    held_up: list[workers.HeldUp]
    #: Mails that are unknown, parked or failed, by state.
    mails: dict[str, int]
    #: Messages of admins whose time passed, or that wait for their release, by state.
    messages: dict[str, int]
    feeds: FeedsHealth
    incidents: int
    reputation: list[reputation.Reputation]
    sign_ups_slowed: bool
    #: Articles that wait for room in somebody's mail for more than ten days.
    left_over: int
    digests_skipped: int
    #: Those that are broken or on hold.
    topics: list[TopicNeed]
    has_topics: bool
    has_subscribers: bool

    @property
    def has_feeds(self) -> bool:
        """Whether there is a feed, besides the built-in one."""
        return bool(self.feeds.counts.keys() - {Feed.State.BY_HAND.value})

    @property
    def silent(self) -> bool:
        """Whether no worker has looked for due work for `SILENT`."""
        return self.last_look_at is None or self.last_look_at < self.now - SILENT

    @property
    def alive(self) -> int:
        """Processes that send and were seen lately."""
        return sum(worker.seen_at >= self.now - workers.SILENT for worker in self.processes)

    @property
    def running(self) -> bool:
        """Whether due work is done."""
        return self.alive > 0 and not self.silent


#: The shares of what came back, which change slowly and take longest to count.
_reputation: Remembered[list[reputation.Reputation]] = Remembered(20)


def read_attention(*, remembered: bool = False) -> Attention:
    """The state of the service now; with `remembered`, what came back may have been counted up to 20 seconds ago."""
    now = db.now()
    came_back = partial(reputation.reputation, now=now)
    tick = Pulse.objects.filter(name="tick").first()
    configured = [provider.number for provider in wiring.config().providers]
    return Attention(
        now=now,
        last_look_at=tick.at if tick else None,
        processes=workers.list_workers(),
        sending_paused_by=sending_gate.pause_reason(),
        providers=provider_statuses(configured, now=now),
        left_alone=circuit_breaker.open_breakers(),
        held_up=workers.held_up(now=now),
        mails=needs_decision(),
        messages=dict(
            Message.objects.filter(state__in=_UNDECIDED).values_list("state").annotate(Count("id")).order_by()
        ),
        feeds=read_health(now=now),
        incidents=len(incidents.listing()),
        reputation=_reputation.get("", came_back) if remembered else came_back(),
        sign_ups_slowed=notice_budget.slowed(),
        left_over=left_over.overdue(now=now),
        digests_skipped=Gathering.objects.filter(skipped=True, cut_at__gt=now - SKIPPED).count(),
        topics=topic_needs(now=now),
        has_topics=Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).exists(),
        has_subscribers=Subscriber.objects.filter(state=Subscriber.State.ACTIVE).exists(),
    )
