"""Commands for those who run the service: once, migrate, status, doctor."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from newsletter import delivery_wiring, wiring
from newsletter.cli.output import CommandFailed, Json, example, fail, note, result
from newsletter.cli.service.migrations import migrate as migrate_tables
from newsletter.cli.service.migrations import ready
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db
from newsletter.worker.startup import NotReady, prepare

app = typer.Typer()


@app.command(epilog=example("once", "once --json"))
def once(json: Json = False) -> None:
    """Do all that is due now, in this process, to the end: read feeds, match, gather, compose, deliver."""
    from rich.console import Console

    from newsletter.delivery.sending import heartbeat
    from newsletter.worker.run_once import once as once_through

    ready()
    with Console(stderr=True).status("working …") as shown, heartbeat.running(wiring.config().data_dir):
        done = once_through(wait=timedelta(0), progress=lambda stage, number: shown.update(f"{stage} {number}"))
    where = f"into {wiring.config().data_dir / 'outbox'}" if wiring.config().mail_kind == "outbox" else "out"
    result(
        asdict(done),
        json,
        f"{done.feeds} feeds read ({done.feeds_failed} failed), {done.new} new items, {done.matches} matches",
        f"{done.accepted} mails {where}, {done.deferred} put off, {done.refused} refused, {done.unknown} unknown",
    )
    if delivery_wiring.host_guard().check(now=db.now()) is Standing.NEW_HOST:
        note(Standing.NEW_HOST.value)
    if done.failed:
        one = len(done.failed) == 1
        raise CommandFailed(
            f"{', '.join(done.failed)}: {'this stage' if one else 'these stages'} failed, all others were done: see the log"
        )
    if done.feeds and done.feeds == done.feeds_failed:
        raise CommandFailed("no feed could be read: see 'newsletter feeds list'")


@app.command(epilog=example("migrate"))
def migrate(json: Json = False) -> None:
    """Bring the tables to this version and check the keys. Run it before the new version starts."""
    migrate_tables()
    try:
        prepare()
    except NotReady as error:
        fail(str(error))
    result({"migrated": True}, json, "the tables are those of this version, and the keys fit")


@app.command(epilog=example("status"))
def status(json: Json = False) -> None:
    """Show on one screen how the service is."""
    from newsletter.cli.service import status as service_status

    ready()
    found = service_status.figures()
    result(found, json, *service_status.lines(found))


@app.command(epilog=example("doctor"))
def doctor(
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only what is not well.")] = False,
) -> None:
    """Examine the installation and say what to do. Exit code 1 when something is broken."""
    from newsletter.cli.service import doctor as service_doctor

    found = service_doctor.examine()
    shown = [one for one in found if not quiet or one.verdict != "ok"]
    result(found if json else None, json, *(f"{one.verdict:5} {one.what}: {one.told}" for one in shown))
    if any(one.verdict == "fail" for one in found):
        raise typer.Exit(1)
