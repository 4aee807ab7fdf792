"""Commands for those who run the service: once, migrate, status, doctor."""

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import delivery_wiring, wiring
from newsletter.cli.output import CommandFailed, Json, counted, example, fail, note, result
from newsletter.cli.service.migrations import migrate as migrate_tables
from newsletter.cli.service.migrations import ready
from newsletter.cli.service.outbox_place import outbox_place
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db
from newsletter.worker.startup import NotReady, prepare

if TYPE_CHECKING:
    from newsletter.worker.run_once import PassResult

app = typer.Typer()


@app.command(epilog=example("once", "once --json"))
def once(json: Json = False) -> None:
    """Process everything that is due, then exit.

    That is: read feeds, match items, gather and write mails, send them.
    """
    from rich.console import Console

    from newsletter.delivery.sending import heartbeat
    from newsletter.worker.run_once import once as run_once

    ready()
    with Console(stderr=True).status("working …") as shown, heartbeat.running(wiring.config().data_dir):
        done = run_once(wait=timedelta(0), progress=lambda stage, number: shown.update(f"{stage} {number}"))
    failed = f" ({done.feeds_failed} could not be read)" if done.feeds_failed else ""
    to_files = wiring.config().mail_kind == "outbox"
    sent = f"written to {wiring.config().data_dir / 'outbox'}" if to_files else "sent"
    result(
        asdict(done),
        json,
        f"{counted(done.feeds, 'feed')} read{failed}, {counted(done.new, 'new item')}, "
        f"{counted(done.matches, 'match', 'matches')}",
        f"{counted(done.accepted, 'mail')} {sent}{_not_sent(done)}",
    )
    if to_files and done.accepted:
        note(f"While the service runs, you can read it at {outbox_place()}")
    if delivery_wiring.host_guard().check(now=db.now()) is Standing.NEW_HOST:
        note(Standing.NEW_HOST.value)
    if done.failed:
        raise CommandFailed(
            f"{counted(len(done.failed), 'stage')} failed ({', '.join(done.failed)}), all others were done: see the log"
        )
    if done.feeds and done.feeds == done.feeds_failed:
        raise CommandFailed("no feed could be read: see 'newsletter feeds list'")


def _not_sent(done: "PassResult") -> str:
    """What became of mails that were not accepted, as far as there were any."""
    states = {"deferred": done.deferred, "refused": done.refused, "unknown": done.unknown}
    return "".join(f", {number} {state}" for state, number in states.items() if number)


@app.command(epilog=example("migrate"))
def migrate(json: Json = False) -> None:
    """Bring the tables to this version and check the keys. Run it before you start a new version."""
    migrate_tables()
    try:
        prepare()
    except NotReady as error:
        fail(str(error))
    result({"migrated": True}, json, "The tables are those of this version, and the keys fit.")


@app.command(epilog=example("status"))
def status(json: Json = False) -> None:
    """Show whether the service runs, what it did today, and what needs you."""
    from newsletter.cli.service import status as screen
    from newsletter.status.attention import read_attention
    from newsletter.status.figures import figures
    from newsletter.status.problems import problems

    ready()
    found = read_attention()
    document = figures(found)
    result(document, json, *screen.lines(document, problems(found)))


@app.command(epilog=example("doctor", "doctor --dns"))
def doctor(
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show only what needs you.")] = False,
    dns: Annotated[
        bool, typer.Option("--dns", help="Also look up SPF, DKIM, DMARC, MX and PTR of the sender's domain.")
    ] = False,
) -> None:
    """Examine the installation and say what to do. Exit code 1 if something is broken."""
    from newsletter.cli.service.doctor.examine import examine

    findings = examine(dns=dns)
    shown = [finding for finding in findings if not quiet or finding.verdict != "ok"]
    lines = [f"{finding.verdict:5} {finding.what}: {finding.message}" for finding in shown]
    result(findings if json else None, json, *(lines or ["Everything is well."]))
    if any(finding.verdict == "fail" for finding in findings):
        raise typer.Exit(1)
