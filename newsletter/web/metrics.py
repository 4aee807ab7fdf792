"""The figures of the service, read from the database at each scrape: no process keeps counts that another does not see."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet, Sum
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from newsletter import delivery_wiring, wiring
from newsletter.delivery.feedback import reputation
from newsletter.delivery.sending import workers
from newsletter.lib import db
from newsletter.lib.mail.provider_ids import name_of
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
        single = Delivery.objects.filter(state=DeliveryState.UNKNOWN).count()
        in_batches = Delivery.objects.filter(state=None, batch__state=BatchState.UNKNOWN).count()
        yield _gauge("newsletter_deliveries_unknown", "Deliveries in doubt", single + in_batches)
        unfinished = Occasion.objects.filter(closed_at=None).exclude(kind=Occasion.Kind.NOTICE)
        yield _gauge(
            "newsletter_occasions_open", "Alerts and digests of which something is to come", unfinished.count()
        )
        oldest = Batch.objects.filter(state=BatchState.PLANNED).aggregate(Min("not_before"))["not_before__min"]
        held_up = workers.held_up(now=now)
        since = [*filter(None, [oldest]), *(batch.due_at for batch in held_up)]
        age = (now - min(since)) / timedelta(seconds=1) if since else 0
        help_text = "How long the oldest batch is overdue that is planned, or held by a worker that is late or dead"
        yield _gauge("newsletter_planned_age_seconds", help_text, max(age, 0))
        mails = sum(batch.mails for batch in held_up)
        yield _gauge("newsletter_held_up", "Mails in batches that are held by a worker that is late or dead", mails)
        alive = Worker.objects.filter(seen_at__gte=now - workers.SILENT).count()
        yield _gauge("newsletter_workers", "Processes that send and were seen within 20 seconds", alive)
        active = Feed.objects.filter(state=Feed.State.ACTIVE)
        yield _gauge("newsletter_feeds_due", "Feeds whose time has come", active.filter(next_fetch_at__lte=now).count())
        yield _gauge("newsletter_feeds_failing", "Feeds whose last fetch failed", active.filter(failures__gt=0).count())
        yield _by_state("newsletter_subscribers", "People by state", Subscriber.objects.all(), Subscriber.State.values)
        fresh = Match.objects.filter(gathering_id=None, owed_at__isnull=False, withdrawn_at=None)
        first = fresh.aggregate(Min("owed_at"))["owed_at__min"]
        waited = (now - first) / timedelta(seconds=1) if first else 0
        yield _gauge("newsletter_fresh_match_age_seconds", "How long the oldest fresh match waits", max(waited, 0))
        yield _gauge(
            "newsletter_sending_open", "1 when sending is open", Gate.objects.filter(sending_open=True).count()
        )
        yield from _gates()
        left_alone = Breaker.objects.filter(open_until__isnull=False).count()
        yield _gauge("newsletter_providers_left_alone", "Providers that left us in doubt too often", left_alone)
        yield from _reputation(now)
        yield from _days(now)
        paced = Batch.objects.filter(state=BatchState.PLANNED, paced=True).aggregate(Sum("size"))["size__sum"]
        yield _gauge("newsletter_waiting_for_pace", "Mails put off to keep the pace of their domain", paced or 0)
        waiting = GaugeMetricFamily("newsletter_requests_waiting", "Requests from public forms", labels=["kind"])
        for kind, count in queue.waiting().items():
            waiting.add_metric([kind], count)
        yield waiting
        yield _gauge("newsletter_sign_ups_slowed", "1 while sign-ups are slowed down", notice_budget.slowed())
        tick = Pulse.objects.filter(name="tick").first()
        seen = (now - tick.at) / timedelta(seconds=1) if tick else -1
        yield _gauge("newsletter_last_look_age_seconds", "Since a worker looked at the tables; -1: never", seen)


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value=value)


def _gates() -> Iterator[GaugeMetricFamily]:
    """Of each configured provider: is its gate open, how many mails are planned with it."""
    closed = set(ProviderGate.objects.filter(paused_by__isnull=False).values_list("provider", flat=True))
    planned = dict(
        Batch.objects.filter(state=BatchState.PLANNED).order_by().values_list("provider").annotate(Sum("size"))
    )
    numbers = sorted({provider.number for provider in wiring.config().providers} | set(planned))
    is_open = {name_of(number): float(number not in closed) for number in numbers}
    waiting = {name_of(number): planned.get(number, 0) for number in numbers}
    yield _by_provider("newsletter_provider_open", "1 when this provider is not paused", is_open)
    yield _by_provider("newsletter_provider_planned", "Mails planned with this provider", waiting)


def _reputation(now: datetime) -> Iterator[GaugeMetricFamily]:
    rates = [(name_of(rate.provider), rate) for rate in reputation.reputation(now=now)]
    yield _by_provider(
        "newsletter_accepted_72h", "Mails accepted within 72 hours", {name: rate.accepted for name, rate in rates}
    )
    yield _by_provider(
        "newsletter_bounce_share", "Bounces of them, 0 to 1", {name: rate.bounce_share for name, rate in rates}
    )
    yield _by_provider(
        "newsletter_complaint_share", "Complaints of them, 0 to 1", {name: rate.complaint_share for name, rate in rates}
    )


def _days(now: datetime) -> Iterator[GaugeMetricFamily]:
    allowances = delivery_wiring.allowances(now)
    yield _by_provider(
        "newsletter_daily_cap",
        "Mails that may go today (UTC)",
        {allowance.provider: allowance.cap for allowance in allowances},
    )
    yield _by_provider(
        "newsletter_daily_used", "Mails of today", {allowance.provider: allowance.used for allowance in allowances}
    )
    waiting = {allowance.provider: allowance.waiting for allowance in allowances}
    yield _by_provider("newsletter_waiting_for_cap", "Mails that are due and wait for the next day", waiting)


def _by_provider(name: str, help_text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=["provider"])
    for provider, value in values.items():
        family.add_metric([provider], value)
    return family


def _by_state(name: str, help_text: str, rows: QuerySet[Any], states: Iterable[str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=["state"])
    counted = dict(rows.values_list("state").annotate(Count("id")))
    for state in states:
        family.add_metric([state], counted.get(state, 0))
    return family


registry = CollectorRegistry()
registry.register(Figures())
