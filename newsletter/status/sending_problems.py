"""What stops mail, or what became of it that somebody should know."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.delivery.gates.circuit_breaker import OpenBreaker
from newsletter.delivery.routing.provider_status import ProviderStatus
from newsletter.delivery.sending.workers import HeldUp
from newsletter.lib.i18n import mark
from newsletter.lib.mail.provider_ids import name_of
from newsletter.models import BatchState
from newsletter.status.attention import Attention
from newsletter.status.problem import DeskLink, Problem, ProblemKind, Severity

SIGN_UPS_SLOWED = mark(
    "sign-ups are slowed down: many confirmation mails of the last day bounced or were reported as spam"
)


def sending_paused(found: Attention) -> Iterator[Problem]:
    """Sending as a whole."""
    if found.sending_paused_by:
        yield Problem(
            ProblemKind.SENDING_PAUSED,
            Severity.STOPPED,
            _("sending is paused by {why}"),
            {"why": found.sending_paused_by},
            advice=_("'newsletter sending resume' opens it"),
            link=DeskLink("desk_home_pause", _("Look at what waits")),
        )


def provider_problems(found: Attention) -> Iterator[Problem]:
    """Each provider that is paused, left alone or out of reach."""
    alone = {breaker.provider for breaker in found.left_alone}
    for row in found.providers:
        if not row.open:
            yield _provider_paused(row)
        elif row.out_since and row.number not in alone:
            yield _provider_out(row)
    yield from map(_left_alone, found.left_alone)


def _provider_paused(row: ProviderStatus) -> Problem:
    return Problem(
        ProblemKind.PROVIDER_PAUSED,
        Severity.STOPPED,
        ngettext(
            "{name} is paused ({why}), {count} mail waits", "{name} is paused ({why}), {count} mails wait", row.planned
        ),
        {"name": row.provider, "why": row.paused_by, "count": row.planned},
        advice=_("'newsletter sending resume --provider {name}' opens it").format(name=row.provider),
        link=_sending(),
    )


def _provider_out(row: ProviderStatus) -> Problem:
    return Problem(
        ProblemKind.PROVIDER_OUT,
        Severity.STOPPED,
        ngettext(
            "{name} has taken nothing since {since} ({why}), {count} mail waits",
            "{name} has taken nothing since {since} ({why}), {count} mails wait",
            row.planned,
        ),
        {"name": row.provider, "since": row.out_since, "why": row.out_why, "count": row.planned},
        since=row.out_since,
        advice=_("'newsletter sending move' hands them to the other provider"),
        link=_sending(),
    )


def _left_alone(breaker: OpenBreaker) -> Problem:
    return Problem(
        ProblemKind.PROVIDER_LEFT_ALONE,
        Severity.STOPPED,
        ngettext(
            "{name} left {count} mail in doubt in a row: one mail is tried at {probe}, the others wait",
            "{name} left {count} mails in doubt in a row: one mail is tried at {probe}, the others wait",
            breaker.in_a_row,
        ),
        {"name": name_of(breaker.provider), "count": breaker.in_a_row, "probe": breaker.next_probe_at},
        since=breaker.since,
        link=_sending(),
    )


def held_up(row: HeldUp) -> Problem:
    """Mails that stand still with a late or dead worker: since when, and until when."""
    mails = ngettext("{count} mail", "{count} mails", row.mails).format(count=row.mails)
    text = (
        ngettext(
            "{count} batch of {mails} is held by a worker that has ended: taken back at {until}",
            "{count} batches of {mails} are held by a worker that has ended: taken back at {until}",
            row.batches,
        )
        if row.host is None
        else ngettext(
            "{count} batch of {mails} is held by worker {host} ({pid}), last seen at {seen}: taken back at {until}",
            "{count} batches of {mails} are held by worker {host} ({pid}), last seen at {seen}: taken back at {until}",
            row.batches,
        )
    )
    return Problem(
        ProblemKind.HELD_UP,
        Severity.DECIDE if row.dead else Severity.LOOK,
        text,
        {
            "count": row.batches,
            "mails": mails,
            "host": row.host,
            "pid": str(row.pid),
            "seen": row.seen_at,
            "until": row.until,
        },
        since=row.due_at,
        link=_sending(),
    )


def mails_to_decide(found: Attention) -> Iterator[Problem]:
    """Mails that are unknown, parked or failed."""
    for state, count in found.mails.items():
        kind, severity, text, advice = _mails(state, count)
        route = "desk_mailings" if kind is ProblemKind.FAILED_MAIL else "desk_mailings_undecided"
        link = DeskLink(route, _("Look at the mails"))
        yield Problem(kind, severity, text, {"count": count}, advice=advice, link=link)


def _mails(state: str, count: int) -> tuple[ProblemKind, Severity, str, str]:
    match state:
        case BatchState.UNKNOWN:
            return (
                ProblemKind.UNKNOWN_MAIL,
                Severity.DECIDE,
                ngettext(
                    "{count} unknown mail may have arrived or not",
                    "{count} unknown mails may have arrived or not",
                    count,
                ),
                _(
                    "list them with 'newsletter deliveries list --state unknown', see one with "
                    "'newsletter deliveries explain', then resolve or retry it"
                ),
            )
        case BatchState.PARKED:
            return (
                ProblemKind.PARKED_MAIL,
                Severity.DECIDE,
                ngettext("{count} parked mail for you to decide", "{count} parked mails for you to decide", count),
                _("see 'newsletter deliveries list --state parked'"),
            )
        case _unused:
            return (
                ProblemKind.FAILED_MAIL,
                Severity.LOOK,
                ngettext(
                    "{count} failed mail that the provider refused for good",
                    "{count} failed mails that the provider refused for good",
                    count,
                ),
                _("see 'newsletter deliveries list --state failed'"),
            )


def reputation_warnings(found: Attention) -> Iterator[Problem]:
    """Providers whose mail comes back too often."""
    for provider in found.reputation:
        for words in provider.warnings:
            yield Problem(ProblemKind.REPUTATION, Severity.DECIDE, "{words}", {"words": words}, link=_sending())


def sign_ups_slowed(found: Attention) -> Iterator[Problem]:
    """Sign-ups that wait because many confirmation mails came to nothing."""
    if found.sign_ups_slowed:
        yield Problem(
            ProblemKind.SIGN_UPS_SLOWED,
            Severity.LOOK,
            _(SIGN_UPS_SLOWED),
        )


def _sending() -> DeskLink:
    return DeskLink("desk_sending", _("Look at sending"))
