"""Count bounces, complaints and silence per provider, warn of them, and close the gate before they do harm."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from newsletter.audit import actor
from newsletter.delivery.gates import provider_gate, sending_gate
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import ReportKind
from newsletter.models import OUR_EVENTS, Gate, Lane, Pulse

#: Shares of what was accepted. Gmail and Yahoo ask for less than 0.10 % complaints, and reject mail from 0.30 %.
COMPLAINTS_WARN: Final = 0.0008
COMPLAINTS_PAUSE: Final = 0.0025
#: A list of people who asked for it bounces less than that; more than `FLOOD_SHARE` closes the gate, however slowly it came.
BOUNCES_WARN: Final = 0.02
BOUNCES_LEAST: Final = 20
#: So many complaints must have come before their share says anything.
COMPLAINTS_LEAST: Final = 5
#: More bounces than this share within an hour: a bad list, a forged stream of events, or a provider in trouble.
FLOOD_SHARE: Final = 0.05
FLOOD_LEAST: Final = 50
FLOOD_WITHIN: Final = timedelta(hours=1)
#: Mails accepted within so long are what shares are of: providers try for up to three days.
COUNTED: Final = timedelta(hours=72)
#: An account that was suspended still answers 202, and then nothing comes of it.
SILENT_AFTER: Final = timedelta(hours=1)
SILENT_WITHIN: Final = timedelta(hours=24)
SILENT_SHARE: Final = 0.2
SILENT_LEAST: Final = 10
#: The newest batches that are old enough: a suspension shows within one more mailing, however much was sent before.
SILENT_BATCHES: Final = 50
_HEARD_SINCE: Final = "events"
#: Mails of an accepted batch that were not: in doubt, refused, or not allowed any more.
_NOT_ACCEPTED: Final = "state IN ('unknown','failed','cancelled')"
_OURS: Final = ", ".join(f"'{kind}'" for kind in sorted(OUR_EVENTS))
#: So many of the newest confirmation mails must have come to nothing, and such a share of them, before sign-ups are slowed.
SIGN_UPS_LEAST: Final = 20
SIGN_UPS_SHARE: Final = 0.2
SIGN_UPS_WITHIN: Final = timedelta(hours=24)
#: A mail to somebody who did not confirm before.
_CONFIRMATION: Final = (
    "EXISTS (SELECT 1 FROM edition x WHERE x.id=d.edition_id AND x.kind='notice' AND x.content='\"confirm\"')"
)
# Anybody can type addresses into the public forms, dead ones and those of people who call it spam: what comes of the mails that
# follow closes no gate.
_NOTICE: Final = "EXISTS (SELECT 1 FROM edition x WHERE x.id=d.edition_id AND x.kind='notice')"
# What came back first, which is few: left to itself, PostgreSQL begins with all mails of these days. A report comes after its
# mail was handed over; the hour is for the time that this takes.
_UNWELCOME: Final = (
    "WITH unwelcome AS MATERIALIZED (SELECT e.kind, e.delivery_id, d.batch_id FROM event e "
    "JOIN delivery d ON d.id=e.delivery_id WHERE e.kind IN ('bounce', 'soft bounce', 'complaint') "
    f"AND e.received_at>%(reported_since)s AND NOT {_NOTICE}) "
    "SELECT a.provider, u.kind, count(DISTINCT u.delivery_id) FROM unwelcome u "
    "JOIN attempt a ON a.batch_id=u.batch_id AND a.outcome='accepted' AND a.ended_at>%(since)s GROUP BY 1, 2"
)
#: The log says so once in as long.
WARN_EVERY: Final = timedelta(hours=6)


@dataclass(frozen=True)
class Reputation:
    """One provider's figures of 72 hours. `provider` is its number; shares are 0 to 1."""

    provider: int
    accepted: int
    bounces: int
    complaints: int

    @property
    def bounce_share(self) -> float:
        """Bounces, hard and soft, per accepted mail."""
        return self.bounces / self.accepted if self.accepted else 0.0

    @property
    def complaint_share(self) -> float:
        """Complaints per accepted mail."""
        return self.complaints / self.accepted if self.accepted else 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should look into, in words; mostly nothing."""
        warnings = []
        if self.complaints >= COMPLAINTS_LEAST and self.complaint_share >= COMPLAINTS_WARN:
            warnings.append(
                f"{self.complaint_share:.3%} complaints: providers reject mail from 0.3 %, and sending stops by itself at "
                f"{COMPLAINTS_PAUSE:.2%}. Find out what was mailed to people who did not want it"
            )
        if self.bounces >= BOUNCES_LEAST and self.bounce_share >= BOUNCES_WARN:
            warnings.append(
                f"{self.bounce_share:.1%} bounces: sending stops by itself above {FLOOD_SHARE:.0%}. Look at where the newest "
                "addresses come from"
            )
        return tuple(warnings)

    @property
    def warns(self) -> bool:
        """Whether somebody should look."""
        return bool(self.warnings)


@dataclass(frozen=True)
class SignUps:
    """Confirmation mails of 24 hours, to people who did not confirm before: `failed` bounced or were called spam."""

    sent: int
    failed: int

    @property
    def unwelcome(self) -> bool:
        """Whether so many failed that sign-ups are slowed down."""
        return self.failed >= SIGN_UPS_LEAST and self.failed > SIGN_UPS_SHARE * self.sent


def reputation(*, now: datetime) -> list[Reputation]:
    """The figures of each provider that accepted mail within 72 hours; complaints and bounces are those of that mail."""
    return _figures(now - COUNTED)


def bounce_flood(provider: int, *, now: datetime) -> str | None:
    """Why bounces of this provider are not believed at present, for the operator. Returns None if they are."""
    since = max(now - FLOOD_WITHIN, _opened_at(now))
    ((bounced,),) = db.rows(
        "SELECT count(DISTINCT e.delivery_id) FROM event e JOIN delivery d ON d.id=e.delivery_id "
        "JOIN batch b ON b.id=d.batch_id "
        "WHERE e.kind IN ('bounce', 'soft bounce') AND e.received_at>%(since)s AND b.provider=%(provider)s "
        f"AND NOT {_NOTICE}",
        {"since": since, "provider": provider},
    )
    if bounced < FLOOD_LEAST:
        return None
    accepted = _accepted(now - COUNTED).get(provider, 0)
    if bounced <= FLOOD_SHARE * max(accepted, 1):
        return None
    return (
        f"a flood of bounces ({bounced} within an hour, of {accepted} mails): nobody is suppressed for them. Look into the "
        "provider's account and at the newest addresses"
    )


def sign_ups(*, now: datetime) -> SignUps:
    """What came of the newest confirmation mails."""
    ((sent, failed),) = db.rows(
        "SELECT count(DISTINCT d.id), count(DISTINCT e.delivery_id) FROM attempt a "
        f"JOIN batch b ON b.id=a.batch_id AND b.lane={Lane.NOTICE.value} "
        f"JOIN delivery d ON d.batch_id=b.id AND {_CONFIRMATION} "
        "LEFT JOIN event e ON e.delivery_id=d.id AND e.kind IN ('bounce', 'soft bounce', 'complaint') "
        "WHERE a.ended_at>%(since)s",
        {"since": now - SIGN_UPS_WITHIN},
    )
    return SignUps(sent, failed)


def close_for_reputation(*, now: datetime, events_from: Collection[int]) -> str | None:
    """Close the gate for too many complaints or bounces, a provider's own when its mails lead to nothing; returns why, or None.

    `events_from` are the numbers of the providers whose events reach us, none where no webhook is set up. Complaints speak of
    our mail, so they stop all of it; silence speaks of one provider.
    """
    why = _complaints(now) or _bounces(now)
    if why is not None:
        sending_gate.pause(why, now=now, actor=actor.from_rule("reputation"), only_if_open=True)
    if not events_from:
        Pulse.objects.filter(name=_HEARD_SINCE).delete()
    for provider in sorted(events_from):
        silent = _silence(now, provider)
        if silent is not None:
            provider_gate.pause(provider, silent, now=now, actor=actor.from_rule("silence after acceptance"))
            why = why or silent
    return why


def _complaints(now: datetime) -> str | None:
    for figures in _figures(max(now - COUNTED, _opened_at(now))):
        if figures.complaints >= COMPLAINTS_LEAST and figures.complaint_share >= COMPLAINTS_PAUSE:
            return (
                f"too many complaints ({figures.complaints} of {figures.accepted} mails, {figures.complaint_share:.2%}). "
                "Find out what was mailed to people who did not want it before it goes on"
            )
    return None


def _bounces(now: datetime) -> str | None:
    """What comes too slowly to be a flood, and is too much all the same."""
    for figures in _figures(max(now - COUNTED, _opened_at(now))):
        if figures.bounces >= FLOOD_LEAST and figures.bounce_share > FLOOD_SHARE:
            return (
                f"too many bounces ({figures.bounces} of {figures.accepted} mails, {figures.bounce_share:.1%}). Look at where "
                "the newest addresses come from before it goes on"
            )
    return None


def due_warnings(*, now: datetime) -> list[Reputation]:
    """The providers to warn of now, each once in six hours: the caller logs what it gets."""
    due = []
    for figures in reputation(now=now):
        name = f"warned:{figures.provider}"
        if figures.warns:
            fresh = Pulse.objects.get_or_create(name=name, defaults={"at": now})[1]
            if fresh or Pulse.objects.filter(name=name, at__lte=now - WARN_EVERY).update(at=now):
                due.append(figures)
    return due


def _silence(now: datetime, provider: int) -> str | None:
    """Only what was accepted since events can come is held against the provider."""
    heard, _ = Pulse.objects.get_or_create(name=_HEARD_SINCE, defaults={"at": now})
    newest = db.rows(
        f"SELECT b.size-(SELECT count(*) FROM delivery WHERE batch_id=b.id AND {_NOT_ACCEPTED}), "
        "EXISTS (SELECT 1 FROM delivery d JOIN event e ON e.delivery_id=d.id "
        f"WHERE d.batch_id=b.id AND e.kind NOT IN ({_OURS})) "
        "FROM attempt a JOIN batch b ON b.id=a.batch_id "
        "WHERE a.provider=%(provider)s AND a.outcome='accepted' AND a.ended_at>%(since)s AND a.ended_at<=%(before)s "
        f"ORDER BY a.ended_at DESC LIMIT {SILENT_BATCHES}",
        {
            "provider": provider,
            "since": max(
                now - SILENT_WITHIN, _opened_at(now), provider_gate.last_opened_at(provider) or heard.at, heard.at
            ),
            "before": now - SILENT_AFTER,
        },
    )
    mails, silent = sum(size for size, _ in newest), sum(size for size, heard_of in newest if not heard_of)
    if silent < SILENT_LEAST or silent <= SILENT_SHARE * mails:
        return None
    return (
        f"silence after acceptance ({silent} of {mails} mails brought no event for more than an hour): either the "
        "provider suspended the account and will drop them, or its webhook does not reach us. Look at the account and at "
        "the webhook's address"
    )


def _figures(since: datetime) -> list[Reputation]:
    rows = db.rows(_UNWELCOME, {"since": since, "reported_since": since - timedelta(hours=1)})
    counted: dict[tuple[int, bool], int] = {}
    for provider, kind, mails in rows:
        key = (provider, kind == ReportKind.COMPLAINT)
        counted[key] = counted.get(key, 0) + mails
    return [
        Reputation(provider, accepted, counted.get((provider, False), 0), counted.get((provider, True), 0))
        for provider, accepted in sorted(_accepted(since).items())
    ]


def _accepted(since: datetime) -> dict[int, int]:
    rows = db.rows(
        "SELECT a.provider, sum(b.size-coalesce(x.mails,0)) FROM attempt a JOIN batch b ON b.id=a.batch_id "
        f"LEFT JOIN (SELECT batch_id, count(*) AS mails FROM delivery WHERE {_NOT_ACCEPTED} GROUP BY 1) x ON x.batch_id=b.id "
        "WHERE a.outcome='accepted' AND a.ended_at>%(since)s GROUP BY 1",
        {"since": since},
    )
    return {provider: int(mails) for provider, mails in rows}


def _opened_at(now: datetime) -> datetime:
    opened = Gate.objects.values_list("opened_at", flat=True).first()
    return opened or now - timedelta(days=365)
