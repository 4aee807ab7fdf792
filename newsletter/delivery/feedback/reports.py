"""Find the delivery that each report speaks of, and store each report once."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.delivery.ledger import prove_accepted
from newsletter.lib import db
from newsletter.lib.crypto import NO_CHECK, Vault, constant_time_equal
from newsletter.lib.mail.provider_interface import Address, Report, ReportKind
from newsletter.models import BatchState, Delivery, DeliveryState

#: Finds the blind index of an address: known to the subscribers' room.
IndexOf = Callable[[Address, Vault], bytes]
#: Ids in one query.
CHUNK = 1000


@dataclass(frozen=True)
class ReportContext:
    """What reading reports needs besides the rows: the keys, and how an address is looked up."""

    vault: Vault
    index_of: IndexOf


@dataclass(frozen=True)
class ReportedMail:
    """The delivery that a report speaks of."""

    id: int
    subscriber_id: int
    batch_id: int
    #: The number of the provider that carried it.
    provider: int
    #: The ledger does not know yet whether it was accepted.
    doubtful: bool


@dataclass(frozen=True)
class MailReport:
    """A report of a mail in the ledger. Two with one `fingerprint` are the same."""

    mail: ReportedMail
    kind: ReportKind
    at: datetime
    detail: str
    fingerprint: bytes
    addresses: tuple[Address, ...] = field(default=(), repr=False)


def match_mails(reports: Sequence[Report], vault: Vault) -> list[MailReport]:
    """Return the reports about mails in the ledger. Those with an unknown token, or about mail that never left, are ignored."""
    delivery_ids = [_delivery_id(report, vault) for report in reports]
    mails = _reported_mails({delivery_id for delivery_id in delivery_ids if delivery_id is not None})
    return [
        _mail_report(mails[delivery_id], report)
        for delivery_id, report in zip(delivery_ids, reports, strict=True)
        if delivery_id is not None and delivery_id in mails
    ]


def store_new(reports: Iterable[MailReport], *, now: datetime) -> list[MailReport]:
    """Store the events that are not stored yet; returns their reports."""
    by_fingerprint = {report.fingerprint: report for report in reports}
    rows = [
        (fingerprint, report.mail.id, str(report.kind), report.at, now, report.detail)
        for fingerprint, report in sorted(by_fingerprint.items())
    ]
    columns = ("fingerprint", "delivery_id", "kind", "at", "received_at", "detail")
    stored = db.insert_new("event", columns, rows, key="fingerprint")
    return [by_fingerprint[bytes(fingerprint)] for fingerprint in stored]


def _delivery_id(report: Report, vault: Vault) -> int | None:
    token = vault.read_token(report.purpose, report.token)
    return token[0] if token is not None and constant_time_equal(token[1], NO_CHECK) and token[0] < 2**63 else None


def _reported_mails(delivery_ids: Iterable[int]) -> dict[int, ReportedMail]:
    """Those that were handed over at least once, and neither cancelled before nor refused."""
    ids, mails = sorted(delivery_ids), {}
    never_accepted = (DeliveryState.CANCELLED, DeliveryState.FAILED)
    for start in range(0, len(ids), CHUNK):
        rows = Delivery.objects.filter(id__in=ids[start : start + CHUNK], batch__attempts__gt=0)
        for delivery_id, subscriber_id, batch_id, state, provider, batch_state in rows.values_list(
            "id", "subscriber_id", "batch_id", "state", "batch__provider", "batch__state"
        ):
            if (state or batch_state) not in never_accepted:
                goes_again = state is None and batch_state in prove_accepted.GOES_AGAIN
                doubtful = goes_again or BatchState.UNKNOWN in (state, batch_state)
                mails[delivery_id] = ReportedMail(delivery_id, subscriber_id, batch_id, provider, doubtful)
    return mails


def _mail_report(mail: ReportedMail, report: Report) -> MailReport:
    identity = f"{mail.id}\0{report.kind}\0{report.at.timestamp():.0f}\0{report.mark}"
    fingerprint = hashlib.sha256(identity.encode("utf-8", "replace")).digest()
    return MailReport(mail, report.kind, report.at, report.detail, fingerprint, report.addresses)
