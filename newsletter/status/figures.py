"""The figures of the service as it stands: `status --json`, and what `status` and `doctor` describe."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count

from newsletter import delivery_wiring, wiring
from newsletter.delivery.feedback import reputation
from newsletter.delivery.ledger.reports import accepted_since, ledger_summary
from newsletter.delivery.sending import workers
from newsletter.lib.mail.provider_ids import name_of
from newsletter.models import Item, Notice, Rhythm, Topic, Worker
from newsletter.status.attention import Attention
from newsletter.subscribers import lookup_and_erase
from newsletter.subscribers.form_requests import queue

#: What `status` counts as today.
DAY = timedelta(hours=24)


def figures(found: Attention) -> dict[str, Any]:
    """Everything that the screen shows."""
    now = found.now
    ledger = ledger_summary()
    topics = dict(Topic.objects.filter(state=Topic.State.ACTIVE).values_list("kind").annotate(Count("id")))
    next_digest = Rhythm.objects.filter(due_at__gt=now).order_by("due_at").first()
    return {
        "running": found.running,
        "last_day": {
            "items": Item.objects.filter(first_seen_at__gt=now - DAY).count(),
            "mails": accepted_since(now - DAY),
            "confirmed": lookup_and_erase.confirmed_since(now - DAY),
        },
        "web": wiring.config().base_url,
        "database": connection.vendor,
        "broker": wiring.config().broker_url.split(":", 1)[0],
        "mail": wiring.config().mail_kind,
        "sending_paused_by": found.sending_paused_by,
        "providers": [asdict(row) for row in found.providers],
        "providers_left_alone": [
            asdict(breaker) | {"provider": name_of(breaker.provider)} for breaker in found.left_alone
        ],
        "slots_skipped": found.digests_skipped,
        "left_over_overdue": found.left_over,
        "last_look_at": found.last_look_at,
        "silent": found.silent,
        "feeds": found.feeds.counts,
        "incidents": found.incidents,
        "items": Item.objects.count(),
        "topics": {"curated": topics.get("curated", 0), "own": topics.get("own", 0)},
        "subscribers": lookup_and_erase.counts(),
        "notices_waiting": Notice.objects.filter(planned_at=None, used_at=None, expires_at__gt=now).count(),
        "requests_waiting": queue.waiting(),
        "sign_ups_slowed": found.sign_ups_slowed,
        "deliveries": ledger.by_state,
        "oldest_planned_at": ledger.oldest_planned_at,
        "held_up": [asdict(held) for held in found.held_up],
        "workers": [_process(worker, now) for worker in found.processes],
        "days": [asdict(allowance) for allowance in delivery_wiring.allowances(now)],
        "reputation": [_reputation(provider) for provider in found.reputation],
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
