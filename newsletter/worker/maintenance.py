"""What keeps the ledger true between mails: work of dead workers is taken care of, and what came back is read."""

from datetime import datetime
from pathlib import Path

import structlog

from newsletter import wiring
from newsletter.delivery.feedback import reputation
from newsletter.delivery.feedback.apply import apply_reports, bounces_from_smtp_refusals
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.delivery.ledger import prove_accepted, urgent_resend
from newsletter.delivery.ledger import reports as ledger_reports
from newsletter.delivery.routing import failover, move_batches
from newsletter.delivery.sending import expired_leases, heartbeat, workers
from newsletter.delivery.sending.expired_leases import Recovered
from newsletter.lib import db
from newsletter.lib.provider_ids import name_of
from newsletter.lib.window_record import dead_workers
from newsletter.models import Pulse
from newsletter.providers.bounces import maildir, parse_report

log = structlog.get_logger()


def recover() -> bool:
    """Take care of what dead workers left, and leave a sign that the tables are looked at; True when mail may go again."""
    now = db.now()
    standing = wiring.host_guard().check_and_advance_mark(now=now)
    if (
        standing is not Standing.NEW_HOST
    ):  # a sign of ours would be taken for one of others, and keep those silent whose mark it waits for
        Pulse.objects.update_or_create(name="tick", defaults={"at": now})
    found = _recovered(now)
    # events may have come before anybody was in doubt: what they prove is not sent again
    prove_accepted.accept_proved(now=now)
    if again := urgent_resend.resend_urgent(now=now):
        log.warning("urgent_again", rows=again)
    ledger_reports.close_complete(now=now)
    carriers = wiring.carriers()
    move_batches.move_from_unconfigured(wiring.carrier(), now=now, configured=carriers)
    return bool(failover.fail_over(carriers, after=wiring.failover_after(), now=now)) or bool(found)


def take_back() -> bool:
    """Look after what processes held that ended or died since; True when something may be sent again.

    Each process that sends looks every few seconds, apart from all tasks: those may wait behind a slow mail server.
    """
    return bool(_recovered(db.now()))


def _recovered(now: datetime) -> Recovered:
    """Those of this machine first: of them it is known how far they got."""
    workers.mark_late(now=now)
    found = Recovered()
    for one in dead_workers(wiring.config().data_dir / heartbeat.DIRECTORY, but=heartbeat.worker_id()):
        found += expired_leases.recover_from(one.id, one.windows, now=now)
    found += expired_leases.recover_expired(now=now)
    if found:
        log.warning("recovered", given_back=found.given_back, doubtful=found.doubtful)
    return found


def hear() -> None:
    """Read what came back, and close the gate when the figures say so."""
    now = db.now()
    directory = wiring.config().bounce_maildir
    if directory is not None:
        _read_maildir(directory, now)
    bounces_from_smtp_refusals(wiring.report_context(), now=now)
    reputation.close_for_reputation(now=now, events_from=wiring.events_from())
    for one in reputation.due_warnings(now=now):
        log.warning("reputation", provider=name_of(one.provider), reason="; ".join(one.warnings))


def _read_maildir(directory: Path, now: datetime) -> None:
    """Each new mail by itself: a broken one never stops the others."""
    try:
        for mail in maildir.waiting(directory, largest=parse_report.LARGEST):
            maildir.put_away(mail, _hear_of(mail, now))
        maildir.clear(directory, now=now)
    except OSError as error:
        log.error("maildir_not_read", error=type(error).__name__)


def _hear_of(mail: maildir.Returned, now: datetime) -> maildir.Flag:
    if mail.raw is None:
        return maildir.Flag.BROKEN
    report = parse_report.read(mail.raw, received=mail.received)
    if report is None:
        return maildir.Flag.LEFT
    done = apply_reports([report], wiring.report_context(), provider="mail", now=now)
    return maildir.Flag.LEFT if done.unknown_mails else maildir.Flag.UNDERSTOOD
