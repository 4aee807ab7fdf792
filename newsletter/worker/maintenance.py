"""Keep the ledger true between mails: recover the work of dead workers, and read bounces and complaints."""

from datetime import datetime
from pathlib import Path

import structlog

from newsletter import delivery_wiring, wiring
from newsletter.delivery.feedback import reputation
from newsletter.delivery.feedback.apply import apply_reports, bounces_from_smtp_refusals
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.delivery.ledger import prove_accepted, urgent_resend
from newsletter.delivery.ledger import reports as ledger_reports
from newsletter.delivery.routing import failover, move_batches
from newsletter.delivery.sending import expired_leases, heartbeat, workers
from newsletter.delivery.sending.expired_leases import RecoveredBatches
from newsletter.lib import db
from newsletter.lib.mail.provider_ids import name_of
from newsletter.lib.mail.window_record import dead_workers
from newsletter.models import Pulse
from newsletter.providers.bounces import maildir, parse_report

log = structlog.get_logger()


def recover() -> bool:
    """Recover what dead workers left, and record that the tables are watched; True if mail may be sent again."""
    now = db.now()
    # a new host waits for a mark by the hosts that work here, and its tick would keep these from polling
    if delivery_wiring.host_guard().check_and_advance_mark(now=now) is not Standing.NEW_HOST:
        Pulse.objects.update_or_create(name="tick", defaults={"at": now})
    recovered = _recover_from_dead_workers(now)
    # reports may have come before a mail was in doubt: what they prove is not sent again
    prove_accepted.accept_proved(now=now)
    if again := urgent_resend.resend_urgent(now=now):
        log.warning("urgent_again", rows=again)
    ledger_reports.close_complete(now=now)
    providers = delivery_wiring.planned_providers()
    move_batches.move_from_unconfigured(delivery_wiring.default_provider(), now=now, configured=providers)
    return bool(failover.fail_over(providers, after=delivery_wiring.failover_after(), now=now)) or bool(recovered)


def recover_from_dead_workers() -> bool:
    """Recover what dead processes held; True if mail may be sent again.

    Each process that sends does so every few seconds, outside of all tasks: a task may wait for a slow mail server.
    """
    return bool(_recover_from_dead_workers(db.now()))


def _recover_from_dead_workers(now: datetime) -> RecoveredBatches:
    """Processes of this machine first: it is recorded how far these got."""
    workers.mark_late(now=now)
    recovered = RecoveredBatches()
    for worker in dead_workers(wiring.config().data_dir / heartbeat.DIRECTORY, excluding=heartbeat.worker_id()):
        recovered += expired_leases.recover_from(worker.id, worker.windows, now=now)
    recovered += expired_leases.recover_expired(now=now)
    if recovered:
        log.warning("recovered", given_back=recovered.given_back, doubtful=recovered.doubtful)
    return recovered


def read_reports() -> None:
    """Read returned mail, and close the gate if there are too many bounces or complaints."""
    now = db.now()
    directory = wiring.config().bounce_maildir
    if directory is not None:
        _read_maildir(directory, now)
    bounces_from_smtp_refusals(delivery_wiring.report_context(), now=now)
    reputation.close_for_reputation(now=now, events_from=delivery_wiring.events_from())
    for warned in reputation.due_warnings(now=now):
        log.warning("reputation", provider=name_of(warned.provider), reason="; ".join(warned.warnings))


def _read_maildir(directory: Path, now: datetime) -> None:
    """Read each new mail; one that cannot be read does not stop the others."""
    try:
        for mail in maildir.new_mails(directory, largest=parse_report.LARGEST):
            maildir.file_away(mail, _read_returned(mail, now))
        maildir.delete_processed(directory, now=now)
    except OSError as error:
        log.error("maildir_not_read", error=type(error).__name__)


def _read_returned(mail: maildir.ReturnedMail, now: datetime) -> maildir.Flag:
    if mail.raw is None:
        return maildir.Flag.UNREADABLE
    report = parse_report.read(mail.raw, received=mail.received)
    if report is None:
        return maildir.Flag.NEW
    done = apply_reports([report], delivery_wiring.report_context(), provider="mail", now=now)
    return maildir.Flag.NEW if done.unknown_mails else maildir.Flag.PROCESSED
