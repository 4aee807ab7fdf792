"""Retention rules of all rooms: what is stored, how, how long and why. The service deletes by them, and the docs show them."""

from collections import Counter
from datetime import datetime

import structlog
from django.db import close_old_connections

from newsletter.admins import retention as admins
from newsletter.audit import retention as audit
from newsletter.delivery import retention as delivery
from newsletter.delivery.sending import workers
from newsletter.editions import left_over
from newsletter.feeds.storage import retention as feeds
from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.lib.pruning import Rule, Table
from newsletter.matching import retention as matching
from newsletter.models import Breaker, Gate, IndexState, Message, NoticeBudget, ProviderGate, Pulse, Route
from newsletter.subscribers import retention as subscribers

log = structlog.get_logger()

_RETURNED = Rule(
    "returned mails",
    "unencrypted, in your Maildir, outside of this service",
    "7 days after they were read",
    "so that you can look at mails that could not be read",
)
_OUTBOX = Rule(
    "mails written to a folder (`outbox:`)",
    "files in the data directory, unencrypted",
    "until you delete them",
    "to try the service without a mail server",
)
_MESSAGES = Rule(
    "messages that admins write",
    "unencrypted: nothing in them is about a subscriber",
    "for good",
    "to show what was sent, and to start another message from one",
    (Table(Message),),
)
_INSTALLATION = Rule(
    "state of the installation: gates, routes, circuit breakers, limits, heartbeats",
    "a few rows, about nobody",
    "for good",
    "to go on after a restart",
    tuple(Table(model) for model in (Gate, ProviderGate, Route, Breaker, Pulse, IndexState, NoticeBudget)),
)

#: Every table needs a rule in its room; a test checks that none is missing.
RULES: tuple[Rule, ...] = (
    *subscribers.RULES,
    *matching.RULES,
    *delivery.RULES,
    *workers.RULES,
    *left_over.RULES,
    _RETURNED,
    _OUTBOX,
    *feeds.RULES,
    *audit.RULES,
    *admins.RULES,
    _MESSAGES,
    _INSTALLATION,
)


def prune(*, now: datetime, should_continue: ShouldContinue = never_stop) -> dict[str, int]:
    """Delete what is older than its rule allows; return the number of rows by table.

    A rule that fails is logged and does not stop the others. What is left when `should_continue` returns False
    is deleted the next time.
    """
    deleted: Counter[str] = Counter()
    for rule in RULES:
        if rule.prune is None or not should_continue():
            continue
        try:
            done = rule.prune(now, should_continue)
        except Exception as error:  # noqa: BLE001 - the other rules do not depend on it; its text may hold rows
            log.error("prune_failed", rule=rule.stored, error=type(error).__name__)
            close_old_connections()
            continue
        deleted.update(done)
    return dict(deleted)


def overdue(now: datetime) -> dict[str, int]:
    """Count the rows that are older than their rule allows, by table; tables without any are left out."""
    late: Counter[str] = Counter()
    for rule in RULES:
        for table in rule.tables:
            if table.overdue is not None:
                late[table.model._meta.db_table] += table.overdue(now).count()
    return dict(+late)


def markdown() -> str:
    """Return the table of docs/privacy.md."""
    lines = [f"| {rule.stored} | {rule.how} | {rule.kept} | {rule.why} |" for rule in RULES]
    return "\n".join(["| stored | how | how long | why |", "|---|---|---|---|", *lines])
