"""Hand mails over to a fake provider, and look at the ledger."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from newsletter.delivery import send
from newsletter.delivery.feedback.apply import Applied, apply_reports
from newsletter.delivery.feedback.reports import ReportContext
from newsletter.delivery.ledger import resend
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import ledger_summary, listing
from newsletter.lib.mail.provider_interface import (
    Accepted,
    Outcome,
    Parcel,
    Report,
    Unknown,
)
from newsletter.models import (
    Delivery,
    Lane,
    Subscriber,
    Topic,
)
from newsletter.subscribers.email_address import index_of
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider

NOW = factories.NOW


def at(moment: datetime = NOW):
    return lambda: moment


def states() -> dict[str, int]:
    return ledger_summary().by_state


REPORT_CONTEXT = ReportContext(factories.VAULT, index_of)

REQUEST = PlannedProvider(3, one_letter=True)

TAKEN = Accepted()


def apply(*reports: Report, now=NOW) -> Applied:
    return apply_reports(reports, REPORT_CONTEXT, provider="sendgrid", now=now)


def handed_over(
    who: int | Sequence[Subscriber] = 3,
    outcome: Callable[[Any], Outcome] | Outcome = TAKEN,
    *,
    window: int | None = None,
    number: int = 3,
) -> list[Delivery]:
    """Mails of one batch, handed over with this outcome."""
    made = factories.planned(who, provider=REQUEST if window is None else PlannedProvider(number, one_letter=False))
    script = outcome if callable(outcome) else lambda _parcel: outcome
    provider = ScriptedProvider(script, window=window, number=number)
    sender = send.Sender(
        provider=provider, vault=factories.VAULT, base_url="https://news.example.org", domain="example.org"
    )
    send.send_next(sender, clock=lambda: NOW)
    return list(Delivery.objects.filter(batch_id__in=made.batch_ids).order_by("id"))


LATER = NOW + timedelta(hours=3)

OPERATOR_NOTE = resend.OperatorNote("ops", "nothing came")


def run(provider: ScriptedProvider, moment=NOW) -> list[int]:
    sender = send.Sender(
        provider=provider, vault=factories.VAULT, base_url="https://news.example.org", domain="example.org"
    )
    while send.send_next(sender, clock=lambda: moment):
        pass
    return [parcel.delivery_id for parcel in provider.handed]


def doubtful(_parcel: Parcel) -> Outcome:
    return Unknown("no answer")


def in_doubt(people: int = 3, *, window: int | None = None, lane: Lane = Lane.ALERT) -> list[str]:
    """References of mails in doubt: a whole request, or (with windows) the second window of two."""
    factories.planned(people, provider=PlannedProvider(1, one_letter=window is None), lane=lane)
    provider = ScriptedProvider(doubtful, window=window)
    if window:
        provider.script = lambda _parcel: Accepted() if len(provider.windows) == 1 else Unknown("no answer")
    run(provider)
    return [row.reference for row in listing(factories.VAULT, "unknown")]


def mark_urgent() -> None:
    urgent = factories.topic()
    Topic.objects.filter(id=urgent.id).update(urgent=True)
    for edition in {one.edition for one in Delivery.objects.select_related("edition")}:
        edition.content = [[1, 1, [urgent.id]]]
        edition.save()
