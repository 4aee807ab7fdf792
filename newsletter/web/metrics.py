"""The figures of the service, read from the database at each scrape: no process keeps counts that another does not see."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet, Sum
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from newsletter import wiring
from newsletter.delivery.feedback import reputation
from newsletter.delivery.sending import workers
from newsletter.lib import db
from newsletter.lib.provider_ids import name_of
from newsletter.models import (
    Batch,
    BatchState,
    Breaker,
    Delivery,
    DeliveryState,
    Feed,
    Gate,
    Match,
    Occasion,
    ProviderGate,
    Pulse,
    Subscriber,
    Worker,
)
from newsletter.subscribers.form_requests import queue
from newsletter.subscribers.limits import notice_budget


class Figures(Collector):
    """Never per topic, never per person."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All figures, each from one query."""
        now = db.now()
        yield _by_state("newsletter_batches", "Batches by state", Batch.objects.all(), BatchState.values)
        alone = Delivery.objects.filter(state=DeliveryState.UNKNOWN).count()
        whole = Delivery.objects.filter(state=None, batch__state=BatchState.UNKNOWN).count()
        yield _one("newsletter_deliveries_unknown", "Deliveries in doubt", alone + whole)
        still = Occasion.objects.filter(closed_at=None).exclude(kind=Occasion.Kind.NOTICE)
        yield _one("newsletter_occasions_open", "Alerts and digests of which something is to come", still.count())
        oldest = Batch.objects.filter(state=BatchState.PLANNED).aggregate(Min("not_before"))["not_before__min"]
        held_up = workers.held_up(now=now)
        since = [*filter(None, [oldest]), *(one.due_at for one in held_up)]
        age = (now - min(since)) / timedelta(seconds=1) if since else 0
        words = "How long the oldest batch is overdue that is planned, or held by a worker that is late or dead"
        yield _one("newsletter_planned_age_seconds", words, max(age, 0))
        mails = sum(one.mails for one in held_up)
        yield _one("newsletter_held_up", "Mails in batches that are held by a worker that is late or dead", mails)
        alive = Worker.objects.filter(seen_at__gte=now - workers.SILENT).count()
        yield _one("newsletter_workers", "Processes that send and were seen within 20 seconds", alive)
        active = Feed.objects.filter(state=Feed.State.ACTIVE)
        yield _one("newsletter_feeds_due", "Feeds whose time has come", active.filter(next_fetch_at__lte=now).count())
        yield _one("newsletter_feeds_failing", "Feeds whose last fetch failed", active.filter(failures__gt=0).count())
        yield _by_state("newsletter_subscribers", "People by state", Subscriber.objects.all(), Subscriber.State.values)
        fresh = Match.objects.filter(gathering_id=None, owed_at__isnull=False, withdrawn_at=None)
        first = fresh.aggregate(Min("owed_at"))["owed_at__min"]
        waited = (now - first) / timedelta(seconds=1) if first else 0
        yield _one("newsletter_fresh_match_age_seconds", "How long the oldest fresh match waits", max(waited, 0))
        yield _one("newsletter_sending_open", "1 when sending is open", Gate.objects.filter(sending_open=True).count())
        yield from _gates()
        alone = Breaker.objects.filter(open_until__isnull=False).count()
        yield _one("newsletter_providers_left_alone", "Providers that left us in doubt too often", alone)
        yield from _reputation(now)
        yield from _days(now)
        paced = Batch.objects.filter(state=BatchState.PLANNED, paced=True).aggregate(Sum("size"))["size__sum"]
        yield _one("newsletter_waiting_for_pace", "Mails put off to keep the pace of their domain", paced or 0)
        waiting = GaugeMetricFamily("newsletter_requests_waiting", "Requests from public forms", labels=["kind"])
        for kind, count in queue.waiting().items():
            waiting.add_metric([kind], count)
        yield waiting
        yield _one("newsletter_sign_ups_slowed", "1 while sign-ups are slowed down", notice_budget.slowed())
        tick = Pulse.objects.filter(name="tick").first()
        seen = (now - tick.at) / timedelta(seconds=1) if tick else -1
        yield _one("newsletter_last_look_age_seconds", "Since a worker looked at the tables; -1: never", seen)


def _one(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _gates() -> Iterator[GaugeMetricFamily]:
    """Of each configured provider: is its gate open, how many mails are planned with it."""
    closed = set(ProviderGate.objects.filter(paused_by__isnull=False).values_list("provider", flat=True))
    planned = dict(
        Batch.objects.filter(state=BatchState.PLANNED).order_by().values_list("provider").annotate(Sum("size"))
    )
    numbers = sorted({one.number for one in wiring.config().providers} | set(planned))
    is_open = {name_of(number): float(number not in closed) for number in numbers}
    waiting = {name_of(number): planned.get(number, 0) for number in numbers}
    yield _by_provider("newsletter_provider_open", "1 when this provider is not paused", is_open)
    yield _by_provider("newsletter_provider_planned", "Mails planned with this provider", waiting)


def _reputation(now: datetime) -> Iterator[GaugeMetricFamily]:
    found = [(name_of(one.provider), one) for one in reputation.reputation(now=now)]
    yield _by_provider(
        "newsletter_accepted_72h", "Mails accepted within 72 hours", {name: one.accepted for name, one in found}
    )
    yield _by_provider(
        "newsletter_bounce_share", "Bounces of them, 0 to 1", {name: one.bounce_share for name, one in found}
    )
    yield _by_provider(
        "newsletter_complaint_share", "Complaints of them, 0 to 1", {name: one.complaint_share for name, one in found}
    )


def _days(now: datetime) -> Iterator[GaugeMetricFamily]:
    found = wiring.allowances(now)
    yield _by_provider(
        "newsletter_daily_cap", "Mails that may go today (UTC)", {one.provider: one.cap for one in found}
    )
    yield _by_provider("newsletter_daily_used", "Mails of today", {one.provider: one.used for one in found})
    waiting = {one.provider: one.waiting for one in found}
    yield _by_provider("newsletter_waiting_for_cap", "Mails that are due and wait for the next day", waiting)


def _by_provider(name: str, words: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=["provider"])
    for provider, value in values.items():
        family.add_metric([provider], value)
    return family


def _by_state(name: str, words: str, rows: QuerySet[Any], states: Iterable[str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=["state"])
    counted = dict(rows.values_list("state").annotate(Count("id")))
    for state in states:
        family.add_metric([state], counted.get(state, 0))
    return family


registry = CollectorRegistry()
registry.register(Figures())
