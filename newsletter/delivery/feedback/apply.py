"""Apply reports of mails, in one transaction: each new one becomes an event, and may suppress an address or close the gate.

The same reports lead to the same rows in whatever order, repetition or grouping they arrive.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from newsletter.audit import actor
from newsletter.delivery.feedback import reputation, soft_bounces
from newsletter.delivery.feedback.reports import (
    CHUNK,
    MailReport,
    ReportContext,
    ReportedMail,
    match_mails,
    store_new,
)
from newsletter.delivery.feedback.suppression_rules import Cause, Reason, suppress
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.ledger import prove_accepted
from newsletter.lib.mail.provider_ids import name_of
from newsletter.lib.mail.provider_interface import Report, ReportKind
from newsletter.lib.mail.status_codes import mailbox_gone
from newsletter.models import Delivery, DeliveryState, Event, Subscriber

_REASONS = {
    ReportKind.BOUNCE: Reason.BOUNCE,
    ReportKind.COMPLAINT: Reason.COMPLAINT,
    ReportKind.UNSUBSCRIBE: Reason.UNSUBSCRIBE,
}
_BOUNCES = (ReportKind.BOUNCE, ReportKind.SOFT_BOUNCE)


@dataclass(frozen=True)
class Applied:
    """What became of a set of reports, in numbers of reports or, for `suppressed`, of addresses."""

    new: int = 0
    repeated: int = 0
    #: Reports of no mail that left us.
    unknown_mails: int = 0
    #: Batches or single mails in doubt that the reports proved to be accepted.
    proved: int = 0
    suppressed: int = 0
    #: Why the gate closed, if it did.
    paused: str | None = None


def apply_reports(reports: Sequence[Report], context: ReportContext, *, provider: str, now: datetime) -> Applied:
    """Store what is new among `reports`, and apply what follows from it. `provider` is the name of who reports."""
    with transaction.atomic():
        known = match_mails(reports, context.vault)
        applied = _apply(known, context, provider=provider, now=now)
    return replace(applied, unknown_mails=len(reports) - len(known))


def bounces_from_smtp_refusals(context: ReportContext, *, now: datetime) -> Applied:
    """Make bounces of mails whose recipient a server refused for good (SMTP RCPT), since no report of them will come."""
    with transaction.atomic():
        applied = Applied()
        for provider, reports in sorted(_refusals(now).items()):
            part = _apply(reports, context, provider=name_of(provider), now=now)
            applied = replace(
                applied,
                new=applied.new + part.new,
                suppressed=applied.suppressed + part.suppressed,
                paused=applied.paused or part.paused,
            )
        return applied


def _refusals(now: datetime) -> dict[int, list[MailReport]]:
    """The refused recipients without an event yet, by the number of the provider."""
    reported = Event.objects.filter(delivery_id=OuterRef("id"), kind__in=_BOUNCES)
    refused = Delivery.objects.filter(~Exists(reported), state=DeliveryState.FAILED, recipient_status__isnull=False)
    by_provider: dict[int, list[MailReport]] = {}
    for delivery_id, subscriber_id, batch_id, provider, status in refused.values_list(
        "id", "subscriber_id", "batch_id", "batch__provider", "recipient_status"
    )[:CHUNK]:
        mail = ReportedMail(delivery_id, subscriber_id, batch_id, provider, doubtful=False)
        kind = ReportKind.BOUNCE if mailbox_gone(status or "") else ReportKind.SOFT_BOUNCE
        fingerprint = hashlib.sha256(f"refused {delivery_id}".encode()).digest()
        by_provider.setdefault(provider, []).append(MailReport(mail, kind, now, status or "", fingerprint))
    return by_provider


def _apply(reports: Sequence[MailReport], context: ReportContext, *, provider: str, now: datetime) -> Applied:
    new = store_new(reports, now=now)
    doubtful = sorted({report.mail.batch_id for report in new if report.mail.doubtful})
    proved = prove_accepted.accept_proved(now=now, batch_ids=doubtful) if doubtful else 0
    suppressed, paused = _suppress(new, context, provider=provider, now=now)
    return Applied(len(new), len(reports) - len(new), 0, proved, suppressed, paused)


def _suppress(new: list[MailReport], context: ReportContext, *, provider: str, now: datetime) -> tuple[int, str | None]:
    """How many addresses are suppressed by these reports, less those mailed again; and why the gate closed instead, if it did."""
    delivered = [_mail_event(report) for report in new if report.kind == ReportKind.DELIVERED]
    lifted = soft_bounces.record_delivered(delivered, provider=provider) if delivered else 0
    paused = _close_for_flood({report.mail.provider for report in new if report.kind in _BOUNCES}, now)
    unwelcome = [report for report in new if report.kind in _REASONS or report.kind == ReportKind.SOFT_BOUNCE]
    believed = _about_recipient([report for report in unwelcome if not (paused and report.kind in _BOUNCES)], context)
    causes = [
        Cause(report.mail.subscriber_id, _REASONS[report.kind], report.at, provider)
        for report in believed
        if report.kind in _REASONS
    ]
    soft = [_mail_event(report) for report in believed if report.kind == ReportKind.SOFT_BOUNCE]
    suppressed = suppress(causes) if causes else 0
    suppressed += soft_bounces.record_soft_bounces(soft, provider=provider, now=now) if soft else 0
    return suppressed - lifted, paused


def _mail_event(report: MailReport) -> soft_bounces.MailEvent:
    return soft_bounces.MailEvent(report.mail.id, report.mail.subscriber_id, report.at)


def _close_for_flood(providers: Iterable[int], now: datetime) -> str | None:
    for provider in sorted(providers):
        reason = reputation.bounce_flood(provider, now=now)
        if reason is not None:
            sending_gate.pause(reason, now=now, actor=actor.from_rule("bounces"), only_if_open=True)
            return reason
    return None


def _about_recipient(reports: list[MailReport], context: ReportContext) -> list[MailReport]:
    """Those of subscribers who still exist, and whose address is among those named: a mail may have been forwarded."""
    subscribers = Subscriber.objects.filter(id__in={report.mail.subscriber_id for report in reports})
    indexes = {number: bytes(index) for number, index in subscribers.values_list("id", "address_index")}
    return [report for report in reports if _names(report, indexes.get(report.mail.subscriber_id), context)]


def _names(report: MailReport, index: bytes | None, context: ReportContext) -> bool:
    """Whether a report names the address with this blind index, or none at all. False where there is no such subscriber."""
    named = {context.index_of(address, context.vault) for address in report.addresses}
    return index is not None and (not named or index in named)
