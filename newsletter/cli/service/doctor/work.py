"""Examine the work of the service: workers, feeds, topics, mails that wait, and what is kept too long."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from newsletter import delivery_wiring, wiring
from newsletter.cli.output import counted, when
from newsletter.cli.service.doctor.finding import Finding, found
from newsletter.cli.service.problem_words import sentence
from newsletter.cli.service.status import came_back, daily_cap
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.delivery.routing import rules
from newsletter.feeds.catalogue import selector_check
from newsletter.lib import db
from newsletter.lib.mail.provider_ids import name_of
from newsletter.matching.topics import checks
from newsletter.models import Attempt, SignUpRequest
from newsletter.status import feed_problems, sending_problems
from newsletter.status.attention import Attention, read_attention
from newsletter.status.figures import figures as read_figures
from newsletter.status.problem import Problem, ProblemKind
from newsletter.status.problems import not_running
from newsletter.worker import retention

#: If so many sign-ups wait, somebody should look.
_MANY_SIGN_UPS = 500


def work() -> Iterator[Finding]:
    """Everything that `status` tells."""
    now = read_attention()
    figures = read_figures(now)
    yield found("workers", _told(not_running(now)), f"{counted(now.alive, 'worker')} at work")
    yield found("sending", _told(sending_problems.sending_paused(now)).removeprefix("sending is "), "open")
    if delivery_wiring.host_guard().check(now=db.now()) is Standing.NEW_HOST:
        yield Finding("this host", "warn", Standing.NEW_HOST.value)
    yield from _providers(now)
    yield found("feeds", _told(feed_problems.unwell_feeds(now)), _good_feeds(figures))
    yield found("incidents", _told(feed_problems.open_incidents(now)), "none is open")
    mails = list(sending_problems.mails_to_decide(now))
    for kind in (ProblemKind.UNKNOWN_MAIL, ProblemKind.PARKED_MAIL):
        yield found(kind.value, _told(mail for mail in mails if mail.kind is kind), "none")
    yield _sign_ups(figures)
    for row in figures["reputation"]:
        yield Finding("what came back", "warn" if row["warns"] else "ok", "; ".join((came_back(row), *row["warnings"])))
    for row in figures["days"]:
        yield Finding("daily cap", "warn" if row["waiting"] else "ok", daily_cap(row) + _more_than_a_day(row))
    yield from _held_up(now)
    yield _queue(now, figures)


def kept_too_long() -> Finding:
    """Whether the hourly deletion keeps what docs/privacy.md promises; a day late is late."""
    late = retention.overdue(db.now() - timedelta(days=1))
    rows = ", ".join(f"{number} in {table}" for table, number in sorted(late.items()))
    advice = f"rows are a day past their time ({rows}): does a worker run newsletter.prune?"
    return found("retention", advice if late else "", "nothing is kept longer than docs/privacy.md promises")


def selectors() -> Iterator[Finding]:
    """Feeds that are not cut any more, because their CSS selector cannot be used."""
    for feed_id, reason in selector_check.unusable_selectors():
        yield Finding(f"feed {feed_id}", "fail", f"{reason} ('newsletter feeds edit {feed_id} --cut SELECTOR')")


def topics() -> Iterator[Finding]:
    """Topics that can match nothing, or match nothing, or too much."""
    found_problems = checks.check_topics(now=db.now())
    if not found_problems:
        yield Finding("topics", "ok", "no problem found")
    for problem in found_problems:
        yield Finding(f"topic {problem.name}", "fail" if problem.broken else "warn", problem.message)


def _told(problems: Iterable[Problem]) -> str:
    """The first of these problems in a line; empty if there is none."""
    return next(map(sentence, problems), "")


def _providers(now: Attention) -> Iterator[Finding]:
    """Each provider that is paused, left alone or out of reach, and each rule for one that is not configured."""
    configured = [carrier.number for carrier in wiring.config().providers]
    advice = [
        *map(sentence, sending_problems.provider_problems(now)),
        *(
            f"a share goes to {name_of(rule.provider)}, which is not configured: see 'newsletter sending list'"
            for rule in rules.unused_rules(configured)
        ),
    ]
    yield from (Finding("provider", "warn", line) for line in advice)
    if not advice:
        names = " and ".join(carrier.name for carrier in wiring.config().providers)
        yield Finding("provider", "ok", f"{names}: no problem known")


def _good_feeds(figures: dict[str, Any]) -> str:
    number = sum(figures["feeds"].values())
    return f"{counted(number, 'feed')}, no problem" if number else "none yet"


def _more_than_a_day(row: dict[str, Any]) -> str:
    advice = ". That is more than a day's mail: raise NEWSLETTER_DAILY_CAP, or let the warm-up continue"
    return advice if row["waiting"] > row["cap"] else ""


def _held_up(now: Attention) -> Iterator[Finding]:
    """Mails that stand still with a worker that is late or dead."""
    for row in now.held_up:
        advice = ". If that time is over, no worker is left to take them back: start one" if row.dead else ""
        yield Finding("held up", "fail" if row.dead else "warn", sentence(sending_problems.held_up(row)) + advice)
    if not now.held_up:
        yield Finding("held up", "ok", "no mail is held by a dead worker")


def _sign_ups(figures: dict[str, Any]) -> Finding:
    """Whether strangers flood the public forms. Nobody else's mail waits for that."""
    waiting = figures["requests_waiting"][SignUpRequest.Kind.SIGN_UP]
    if figures["sign_ups_slowed"]:
        return Finding("sign-ups", "warn", f"{sending_problems.SIGN_UPS_SLOWED}, {waiting} wait. This ends by itself")
    advice = f"{waiting} wait, more than usual: see docs/operations.md"
    return found(
        "sign-ups", advice if waiting >= _MANY_SIGN_UPS else "", f"{waiting} waiting" if waiting else "none waiting"
    )


def _queue(now: Attention, figures: dict[str, Any]) -> Finding:
    """Whether due mail waits for no reason that another finding gives."""
    due_at: datetime | None = figures["oldest_planned_at"]
    if due_at is None or due_at >= db.now() - timedelta(minutes=10):
        return Finding("queue", "ok", "nothing waits" if not now.held_up else "nothing else waits")
    waits = f"mail waits since {when(due_at)} UTC"
    if now.sending_paused_by or any(row["waiting"] for row in figures["days"]):
        return Finding("queue", "ok", f"{waits}, see above")
    moving = Attempt.objects.filter(began_at__gt=db.now() - timedelta(minutes=2)).exists()
    if wiring.config().limits.paced and moving:
        return Finding("queue", "ok", f"{waits}: it leaves at the pace of NEWSLETTER_PACE and NEWSLETTER_DOMAIN_PACE")
    if not now.running:
        return Finding("queue", "warn", f"{waits}: {_told(not_running(now))}")
    return Finding("queue", "warn", f"{waits}, for no known reason: see docs/operations.md")
