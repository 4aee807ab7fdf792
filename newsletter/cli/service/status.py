"""The figures of the service as it stands, and the lines in which `status` says them."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count

from newsletter import delivery_wiring, wiring
from newsletter.cli.output import when
from newsletter.cli.sending.provider_status import provider_statuses
from newsletter.delivery.feedback import reputation
from newsletter.delivery.gates import circuit_breaker, sending_gate
from newsletter.delivery.ledger.reports import ledger_summary
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

#: Without a look at the tables for so long, nothing leaves.
SILENT = timedelta(seconds=120)
WHAT_TO_DO = {
    "unknown": "nobody can say whether they were taken: 'newsletter deliveries explain', then 'resolve' or 'retry'",
    "parked": "they wait for an operator: 'newsletter deliveries list --state parked'",
    "failed": "the provider refused them for good: 'newsletter deliveries list --state failed'",
}
INCIDENTS = "{} incidents of feeds: see 'newsletter feeds incidents'"
ALONE = "{provider} left {in_a_row} mails in doubt in a row: one is tried at {next_probe_at:%H:%M} UTC, the others wait"
HELD_UP = "{batches} batch{es} of {mails} mails {are} held by {who}: taken back at {until:%H:%M:%S} UTC"
SKIPPED = "{} digests of the last 7 days were found more than 6 hours late and skipped: the next ones have all of it"
LEFT_OVER = (
    "{} articles wait for room in a mail for more than 10 days: a topic matches too much, see 'newsletter topics list'"
)
PAUSED = "{provider} is PAUSED ({paused_by}): 'newsletter sending resume --provider {provider}' opens it, {planned} mails wait"
RESUME = "'newsletter sending resume' opens it"
SLOWED = "sign-ups are slowed down: many confirmation mails of the last day bounced or were called spam"


def figures() -> dict[str, Any]:
    """Everything that one screen says."""
    now = db.now()
    ledger = ledger_summary()
    beat = Pulse.objects.filter(name="tick").first()
    topics = dict(Topic.objects.filter(state=Topic.State.ACTIVE).values_list("kind").annotate(Count("id")))
    coming = Rhythm.objects.filter(due_at__gt=now).order_by("due_at").first()
    return {
        "web": wiring.config().base_url,
        "database": connection.vendor,
        "broker": wiring.config().broker_url.split(":", 1)[0],
        "mail": wiring.config().mail_kind,
        "sending_paused_by": sending_gate.pause_reason(),
        "providers": [asdict(row) for row in provider_statuses(now=now)],
        "providers_left_alone": [
            asdict(one) | {"provider": name_of(one.provider)} for one in circuit_breaker.open_breakers()
        ],
        "slots_skipped": Gathering.objects.filter(skipped=True, cut_at__gt=now - timedelta(days=7)).count(),
        "left_over_overdue": left_over.overdue(now=now),
        "last_look_at": beat.at if beat else None,
        "silent": beat is None or beat.at < now - SILENT,
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
        "held_up": [asdict(one) for one in workers.held_up(now=now)],
        "workers": [_process(one, now) for one in workers.list_workers()],
        "days": [asdict(one) for one in delivery_wiring.allowances(now)],
        "reputation": [_shares(one) for one in reputation.reputation(now=now)],
        "next_slot_at": coming.due_at if coming else None,
    }


def _shares(one: reputation.Reputation) -> dict[str, Any]:
    shares = {"bounce_share": one.bounce_share, "complaint_share": one.complaint_share}
    return {
        **asdict(one),
        **shares,
        "warns": one.warns,
        "warnings": one.warnings,
        "provider": name_of(one.provider),
    }


def _process(one: Worker, now: datetime) -> dict[str, Any]:
    return {
        "host": one.host,
        "pid": one.pid,
        "version": one.version,
        "started_at": one.started_at,
        "last_seen_at": one.seen_at,
        "silent_seconds": max(0, round((now - one.seen_at).total_seconds())),
        "dead": one.seen_at < now - workers.SILENT,
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The screen."""
    yield f"web       {found['web']}"
    yield f"parts     {found['database']}, {found['broker']}, mail by {found['mail']}"
    paused = found["sending_paused_by"]
    yield f"sending   {f'PAUSED by {paused}: ' + RESUME if paused else 'open'}"
    yield from (f"          {PAUSED.format(**one)}" for one in found["providers"] if not one["open"])
    yield from (f"          {ALONE.format(**one)}" for one in found["providers_left_alone"])
    silent = " (nothing works at present: start 'newsletter run', or a worker)" if found["silent"] else ""
    yield f"last look {when(found['last_look_at'])}{silent}"
    yield from _workers(found["workers"])
    yield from (f"          {told_held_up(one)}" for one in found["held_up"])
    yield "feeds     " + (", ".join(f"{count} {word}" for word, count in found["feeds"].items()) or "none yet")
    if found["incidents"]:
        yield f"          {INCIDENTS.format(found['incidents'])}"
    yield f"items     {found['items']}"
    yield f"topics    {found['topics']['curated']} with a name, {found['topics']['own']} keywords of readers"
    yield "people    " + ", ".join(f"{count} {state}" for state, count in found["subscribers"].items())
    if waiting := sum(found["requests_waiting"].values()):
        yield f"requests  {waiting} from public forms wait for their turn"
    if found["sign_ups_slowed"]:
        yield f"          {SLOWED}"
    yield "mails     " + (", ".join(f"{count} {state}" for state, count in found["deliveries"].items()) or "none yet")
    for state, advice in WHAT_TO_DO.items():
        if found["deliveries"].get(state):
            yield f"          {found['deliveries'][state]} {state}: {advice}"
    yield from (f"today     {told_of_day(one)}" for one in found["days"])
    yield from (f"back      {told_back(one)}" for one in found["reputation"])
    yield from (f"          {words}" for one in found["reputation"] for words in one["warnings"])
    if found["left_over_overdue"]:
        yield f"          {LEFT_OVER.format(found['left_over_overdue'])}"
    if found["slots_skipped"]:
        yield f"          {SKIPPED.format(found['slots_skipped'])}"
    yield f"next slot {when(found['next_slot_at'])} UTC"


def _workers(found: list[dict[str, Any]]) -> Iterator[str]:
    """Each process that sends, and how many have died within a day."""
    living = [one for one in found if not one["dead"]]
    for place, one in enumerate(living):
        told = f"{one['host']} ({one['pid']}), version {one['version']}, last seen {one['silent_seconds']} s ago"
        yield f"{'' if place else 'workers':9} {told}"
    if not living:
        yield "workers   none"
    if dead := len(found) - len(living):
        yield f"          {dead} died within a day without saying so"


def told_held_up(one: dict[str, Any]) -> str:
    """Who holds mails that stand still, since when, and until when."""
    several = one["batches"] != 1
    if one["host"] is None:
        who = "a worker that has ended"
    else:
        who = f"worker {one['host']} ({one['pid']}), last seen at {one['seen_at']:%H:%M:%S} UTC"
    return HELD_UP.format(es="es" if several else "", are="are" if several else "is", who=who, **one)


def told_of_day(one: dict[str, Any]) -> str:
    """How much of a provider's day is used."""
    told = f"{one['provider']}: {one['used']} of {one['cap']} mails"
    if one["waiting"]:
        told += f", waiting for the daily cap: {one['waiting']} mails, until {when(one['next_day'])} UTC"
    return told


def told_back(one: dict[str, Any]) -> str:
    """What came back of a provider's mails."""
    return (
        f"{one['provider']}: {one['bounces']} bounces ({one['bounce_share']:.2%}), {one['complaints']} complaints "
        f"({one['complaint_share']:.3%}) of {one['accepted']} mails accepted in 72 hours"
    )
