"""Reports of mails in, events out, each stored once; and what follows from them, as one set, in one transaction.

Whatever the order, the repetition or the split in which they come, the same reports lead to the same rows.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from newsletter.delivery.feedback import reputation, soft_bounces
from newsletter.delivery.feedback.suppression_rules import Cause, Reason, suppress
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.ledger import prove_accepted
from newsletter.lib import db
from newsletter.lib.crypto import NO_CHECK, Vault, constant_time_equal
from newsletter.lib.provider_ids import name_of
from newsletter.lib.provider_interface import Address, Kind, Report
from newsletter.lib.status_codes import mailbox_gone
from newsletter.models import BatchState, Delivery, DeliveryState, Event, Subscriber

#: Finds the blind index of an address: known to the subscribers' room.
IndexOf = Callable[[Address, Vault], bytes]
_REASONS = {
    Kind.BOUNCE: Reason.BOUNCE,
    Kind.COMPLAINT: Reason.COMPLAINT,
    Kind.UNSUBSCRIBE: Reason.UNSUBSCRIBE,
}
_BOUNCES = (Kind.BOUNCE, Kind.SOFT_BOUNCE)
#: Ids in one query.
_CHUNK = 1000


@dataclass(frozen=True)
class Applied:
    """What a set of reports came to. `strangers` speak of no mail that left us; `paused` says why the gate closed."""

    new: int = 0
    repeated: int = 0
    strangers: int = 0
    proved: int = 0
    suppressed: int = 0
    paused: str | None = None


@dataclass(frozen=True)
class _Mail:
    """The delivery that a report speaks of."""

    id: int
    subscriber_id: int
    batch_id: int
    provider: int
    doubtful: bool


@dataclass(frozen=True)
class _Fact:
    """A report of a mail that we know. Two of one `fingerprint` are one."""

    mail: _Mail
    kind: Kind
    at: datetime
    detail: str
    fingerprint: bytes
    addresses: tuple[Address, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Hearing:
    """What believing reports needs besides the rows: the keys, and how an address is found again."""

    vault: Vault
    index_of: IndexOf


def apply(reports: Sequence[Report], hearing: Hearing, *, provider: str, now: datetime) -> Applied:
    """Store what is new among `reports`, and what follows from it. `provider` is the name of who tells it."""
    numbers = [_number(report, hearing.vault) for report in reports]
    with transaction.atomic():
        mails = _mails({number for number in numbers if number is not None})
        facts = [
            _fact(mails[number], report)
            for number, report in zip(numbers, reports, strict=True)
            if number is not None and number in mails
        ]
        done = _record(facts, hearing, provider=provider, now=now)
    return replace(done, strangers=len(reports) - len(facts))


def refusals(hearing: Hearing, *, now: datetime) -> Applied:
    """Make events of mails that a server refused for good at its door (SMTP RCPT): bounces of which no report comes."""
    told = Event.objects.filter(delivery_id=OuterRef("id"), kind__in=_BOUNCES)
    refused = Delivery.objects.filter(~Exists(told), state=DeliveryState.FAILED, recipient_status__isnull=False)
    with transaction.atomic():
        by_carrier: dict[int, list[_Fact]] = {}
        for number, who, batch_id, carrier, status in refused.values_list(
            "id", "subscriber_id", "batch_id", "batch__provider", "recipient_status"
        )[:_CHUNK]:
            kind = Kind.BOUNCE if mailbox_gone(status or "") else Kind.SOFT_BOUNCE
            fingerprint = hashlib.sha256(f"refused {number}".encode()).digest()
            fact = _Fact(_Mail(number, who, batch_id, carrier, False), kind, now, status or "", fingerprint)
            by_carrier.setdefault(carrier, []).append(fact)
        done = Applied()
        for carrier, facts in sorted(by_carrier.items()):
            one = _record(facts, hearing, provider=name_of(carrier), now=now)
            done = replace(
                done,
                new=done.new + one.new,
                suppressed=done.suppressed + one.suppressed,
                paused=done.paused or one.paused,
            )
        return done


def _record(facts: Sequence[_Fact], hearing: Hearing, *, provider: str, now: datetime) -> Applied:
    fresh = _store({fact.fingerprint: fact for fact in facts}, now)
    doubtful = sorted({fact.mail.batch_id for fact in fresh if fact.mail.doubtful})
    proved = prove_accepted.prove(now=now, batch_ids=doubtful) if doubtful else 0
    suppressed, paused = _follow(fresh, hearing, provider=provider, now=now)
    return Applied(len(fresh), len(facts) - len(fresh), 0, proved, suppressed, paused)


def _number(report: Report, vault: Vault) -> int | None:
    found = vault.read_token(report.purpose, report.token)
    return found[0] if found is not None and constant_time_equal(found[1], NO_CHECK) and found[0] < 2**63 else None


def _mails(numbers: Iterable[int]) -> dict[int, _Mail]:
    """Those that were handed over at least once, and neither cancelled before nor refused."""
    wanted, found = sorted(numbers), {}
    never = (DeliveryState.CANCELLED, DeliveryState.FAILED)
    for start in range(0, len(wanted), _CHUNK):
        rows = Delivery.objects.filter(id__in=wanted[start : start + _CHUNK], batch__attempts__gt=0)
        for number, who, batch_id, state, carrier, batch_state in rows.values_list(
            "id", "subscriber_id", "batch_id", "state", "batch__provider", "batch__state"
        ):
            if (state or batch_state) not in never:
                again = state is None and batch_state in prove_accepted.GOES_AGAIN
                doubtful = again or BatchState.UNKNOWN in (state, batch_state)
                found[number] = _Mail(number, who, batch_id, carrier, doubtful)
    return found


def _fact(mail: _Mail, report: Report) -> _Fact:
    told = f"{mail.id}\0{report.kind}\0{report.at.timestamp():.0f}\0{report.mark}"
    fingerprint = hashlib.sha256(told.encode("utf-8", "replace")).digest()
    return _Fact(mail, report.kind, report.at, report.detail, fingerprint, report.addresses)


def _store(facts: dict[bytes, _Fact], now: datetime) -> list[_Fact]:
    """Write the events that are not there yet; returns those."""
    rows = [
        (fingerprint, fact.mail.id, str(fact.kind), fact.at, now, fact.detail)
        for fingerprint, fact in sorted(facts.items(), key=lambda one: one[0])
    ]
    columns = ("fingerprint", "delivery_id", "kind", "at", "received_at", "detail")
    return [facts[bytes(one)] for one in db.insert_new("event", columns, rows, key="fingerprint")]


def _follow(fresh: list[_Fact], hearing: Hearing, *, provider: str, now: datetime) -> tuple[int, str | None]:
    """Who is not mailed any more by these; and why the gate closed instead, if it did."""
    arrived = [_given(fact) for fact in fresh if fact.kind == Kind.DELIVERED]
    lifted = soft_bounces.arrived(arrived, provider=provider) if arrived else 0
    paused = _flood({fact.mail.provider for fact in fresh if fact.kind in _BOUNCES}, now)
    unwelcome = [fact for fact in fresh if fact.kind in _REASONS or fact.kind == Kind.SOFT_BOUNCE]
    heard = [fact for fact in unwelcome if not (paused and fact.kind in _BOUNCES)]
    meant = _same_person(heard, hearing)
    causes = [
        Cause(fact.mail.subscriber_id, _REASONS[fact.kind], fact.at, provider)
        for fact in meant
        if fact.kind in _REASONS
    ]
    given_up = [_given(fact) for fact in meant if fact.kind == Kind.SOFT_BOUNCE]
    suppressed = suppress(causes) if causes else 0
    suppressed += soft_bounces.given_up(given_up, provider=provider, now=now) if given_up else 0
    return suppressed - lifted, paused


def _given(fact: _Fact) -> soft_bounces.Given:
    return soft_bounces.Given(fact.mail.id, fact.mail.subscriber_id, fact.at)


def _flood(providers: Iterable[int], now: datetime) -> str | None:
    for provider in sorted(providers):
        why = reputation.flooded(provider, now=now)
        if why is not None:
            sending_gate.pause(why, only_if_open=True)
            return why
    return None


def _same_person(facts: list[_Fact], hearing: Hearing) -> list[_Fact]:
    """Those of people who are still there, and whose address is among those that are named: a mail may have been forwarded."""
    people = Subscriber.objects.filter(id__in={fact.mail.subscriber_id for fact in facts})
    indexes = {number: bytes(index) for number, index in people.values_list("id", "address_index")}
    return [fact for fact in facts if _meant(fact, indexes.get(fact.mail.subscriber_id), hearing)]


def _meant(fact: _Fact, index: bytes | None, hearing: Hearing) -> bool:
    named = {hearing.index_of(address, hearing.vault) for address in fact.addresses}
    return index is not None and (not named or index in named)
