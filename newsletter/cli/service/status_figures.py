"""The figures of the service as it stands: `status --json`, and what `status` and `doctor` describe."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count

from newsletter import delivery_wiring, wiring
from newsletter.delivery.feedback import reputation
from newsletter.delivery.gates import circuit_breaker, sending_gate
from newsletter.delivery.ledger.reports import accepted_since, ledger_summary
from newsletter.delivery.routing.provider_status import provider_statuses
from newsletter.delivery.sending import workers
from newsletter.editions import left_over
from newsletter.feeds.catalogue import feed_status
from newsletter.feeds.storage import incidents
from newsletter.lib import db
from newsletter.lib.mail.provider_ids import name_of
from newsletter.models import Gathering, Item, Notice, Pulse, Rhythm, Topic, Worker
from newsletter.subscribers import lookup_and_erase
from newsletter.subscribers.form_requests import queue
from newsletter.subscribers.limits import notice_budget

#: If no worker has looked for due work for so long, nothing is sent.
SILENT = timedelta(seconds=120)
#: What `status` counts as today.
DAY = timedelta(hours=24)


def figures() -> dict[str, Any]:
    """Everything that the screen shows."""
    now = db.now()
    configured = [carrier.number for carrier in wiring.config().providers]
    ledger = ledger_summary()
    tick = Pulse.objects.filter(name="tick").first()
    silent = tick is None or tick.at < now - SILENT
    processes = [_process(worker, now) for worker in workers.list_workers()]
    alive = sum(not process["dead"] for process in processes)
    topics = dict(Topic.objects.filter(state=Topic.State.ACTIVE).values_list("kind").annotate(Count("id")))
    next_digest = Rhythm.objects.filter(due_at__gt=now).order_by("due_at").first()
    return {
        "running": alive > 0 and not silent,
        "last_day": {
            "items": Item.objects.filter(first_seen_at__gt=now - DAY).count(),
            "mails": accepted_since(now - DAY),
            "confirmed": lookup_and_erase.confirmed_since(now - DAY),
        },
        "web": wiring.config().base_url,
        "database": connection.vendor,
        "broker": wiring.config().broker_url.split(":", 1)[0],
        "mail": wiring.config().mail_kind,
        "sending_paused_by": sending_gate.pause_reason(),
        "providers": [asdict(row) for row in provider_statuses(configured, now=now)],
        "providers_left_alone": [
            asdict(breaker) | {"provider": name_of(breaker.provider)} for breaker in circuit_breaker.open_breakers()
        ],
        "slots_skipped": Gathering.objects.filter(skipped=True, cut_at__gt=now - timedelta(days=7)).count(),
        "left_over_overdue": left_over.overdue(now=now),
        "last_look_at": tick.at if tick else None,
        "silent": silent,
        "feeds": feed_status.counts(now=now),
        "incidents": len(incidents.listing()),
        "items": Item.objects.count(),
        "topics": {"curated": topics.get("curated", 0), "own": topics.get("own", 0)},
        "subscribers": lookup_and_erase.counts(),
        "notices_waiting": Notice.objects.filter(planned_at=None, used_at=None, expires_at__gt=now).count(),
        "requests_waiting": queue.waiting(),
        "sign_ups_slowed": notice_budget.slowed(),
        "deliveries": ledger.by_state,
        "oldest_planned_at": ledger.oldest_planned_at,
        "held_up": [asdict(held) for held in workers.held_up(now=now)],
        "workers": processes,
        "days": [asdict(allowance) for allowance in delivery_wiring.allowances(now)],
        "reputation": [_reputation(provider) for provider in reputation.reputation(now=now)],
        "next_slot_at": next_digest.due_at if next_digest else None,
    }


def _reputation(of: reputation.Reputation) -> dict[str, Any]:
    return {
        **asdict(of),
        "bounce_share": of.bounce_share,
        "complaint_share": of.complaint_share,
        "warns": of.warns,
        "warnings": of.warnings,
        "provider": name_of(of.provider),
    }


def _process(worker: Worker, now: datetime) -> dict[str, Any]:
    return {
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "started_at": worker.started_at,
        "last_seen_at": worker.seen_at,
        "silent_seconds": max(0, round((now - worker.seen_at).total_seconds())),
        "dead": worker.seen_at < now - workers.SILENT,
    }
