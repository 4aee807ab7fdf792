"""Commands for alerts, digests and messages as a whole."""

from dataclasses import replace
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, ask, counted, example, misuse, or_fail, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.delivery.ledger.resend import OperatorNote
from newsletter.delivery.mailings import editions, hold
from newsletter.delivery.mailings.hold import MailingPart, Stopped
from newsletter.delivery.mailings.mailing_list import FILTERS, MailingRow, mailing, mailing_page, undecided_mailings
from newsletter.delivery.mailings.resend_failed import count_resendable, resend_failed
from newsletter.delivery.mailings.shown import shown_count, shown_sums
from newsletter.delivery.mailings.slots import MailingSlot, slots_of
from newsletter.delivery.mailings.sums import MailingSums
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.lib.small_numbers import people_count

app = typer.Typer()

Key = Annotated[str, typer.Argument(help="As 'mailings list' shows it: digest:daily:2026-11-23, alert:12.")]
EditionId = Annotated[int, typer.Option("--edition", help="Only this edition of it, by its number.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list", epilog=example("mailings list --state open"))
def list_mailings(
    state: Annotated[str, typer.Option(help="open, done or failed; without it, all.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, the newest first.")] = 25,
    json: Json = False,
) -> None:
    """List alerts, digests and messages; those that need a decision first."""
    ready()
    if state not in FILTERS:
        misuse("--state is open, done or failed")
    first = () if state else undecided_mailings(limit)
    page = mailing_page(which=state, size=limit, but=[row.id for row in first])
    rows = [_document(row) for row in (*first, *page.rows)][:limit]
    columns = {
        "Mailing": lambda row: row["key"],
        "State": lambda row: row["state"],
        "Mails": lambda row: row["mails"],
        "Begun": lambda row: when(row["begun"]),
    }
    table(rows, json, columns, empty="Nothing was mailed yet, or the record is no longer kept.")


@app.command(epilog=example("mailings show digest:daily:2026-11-23"))
def show(key: Key, json: Json = False) -> None:
    """Show a mailing: when it was put together, what became of it, its editions by size."""
    ready()
    row = or_fail(mailing(key))
    threshold = wiring.config().small_number
    listed = editions.editions_of(row.id, least=threshold)
    rows = [
        {
            "edition": each.id,
            "subscribers": str(people_count(each.people, threshold=threshold)),
            "items": len(each.items),
            "first": each.items[0].title if each.items else "",
        }
        for each in listed.rows
    ]
    small = str(people_count(listed.small_people, threshold=threshold))
    slots = slots_of(row.id)
    document = _document(row) | {
        "slots": slots,
        "editions": rows,
        "small_editions": {"editions": listed.small, "subscribers": small},
    }
    result(
        document,
        json,
        f"{row.key}: {row.state}",
        _in_words(row, row.sums),
        *(f"  {_slot(slot)}" for slot in slots),
        *(f"  edition {each['edition']}: {each['subscribers']} subscribers, {each['first']!r}" for each in rows),
        *([f"  {listed.more} more editions, smaller than these"] if listed.more else []),
        *([f"  {counted(listed.small, 'small edition')}: {small} subscribers"] if listed.small else []),
    )


@app.command("hold", epilog=example("mailings hold digest:daily:2026-11-23"))
def hold_(key: Key, edition: EditionId = 0, json: Json = False) -> None:
    """Keep back what has not left, until you release it."""
    ready()
    row, part, _ = _part(key, edition)
    done = or_fail(hold.hold(part, actor=actor.from_command(), now=db.now()))
    _told(row, done, json, "on hold: stopped {mails}, {gone} had gone")


@app.command(epilog=example("mailings release digest:daily:2026-11-23"))
def release(key: Key, edition: EditionId = 0, yes: Yes = False, json: Json = False) -> None:
    """Let mail that was kept back go. Nobody gets it twice."""
    ready()
    row, part, sums = _part(key, edition)
    if not yes:
        mails = _count(row, sums.held)
        ask(f"Send the mails that are kept back ({mails})?", f"mails to be sent: {mails}; add --yes to do it")
    done = or_fail(hold.release(part, actor=actor.from_command(), now=db.now()))
    _told(row, done, json, "released: {mails} go now, {gone} had gone before")


@app.command(epilog=example("mailings skip digest:daily:2026-11-23"))
def skip(key: Key, edition: EditionId = 0, yes: Yes = False, json: Json = False) -> None:
    """Cancel what has not left, for good. The items count as given: they do not come with a later mail."""
    ready()
    row, part, sums = _part(key, edition)
    if not yes:
        mails = _count(row, sums.cancellable)
        words = f"mails to be cancelled for good: {mails}, and their items do not come with a later mail"
        ask(f"Skip it ({words})?", f"{words}; add --yes to do it")
    done = or_fail(hold.skip(part, actor=actor.from_command(), now=db.now()))
    _told(row, done, json, "skipped: cancelled {mails}, {gone} had gone")


@app.command(epilog=example("mailings resend alert:12 --why 'the sender address is verified now'"))
def resend(
    key: Key,
    why: Annotated[str, typer.Option(help="What you changed, so that they are taken now; stored with each mail.")],
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send those that failed again. Mails in doubt, and mails to a mailbox that does not exist, are never among them."""
    ready()
    row = or_fail(mailing(key))
    if not yes:
        mails = _count(row, count_resendable(row.id))
        ask(
            f"Send the failed mails again ({mails})?",
            f"failed mails that can be sent again: {mails}; add --yes to do it",
        )
    by = actor.from_command()
    done = or_fail(resend_failed(row.id, OperatorNote(by.name, " ".join(why.split())), actor=by, now=db.now()))
    mails = _count(row, done.deliveries)
    result({"mailing": row.key, "changed": mails}, json, f"planned again: {mails}")


def _part(key: str, edition_id: int) -> tuple[MailingRow, MailingPart, MailingSums]:
    """The mailing, what of it is meant, and the sums of that. Who gets an edition follows its topics: so is it counted."""
    row = or_fail(mailing(key))
    if not edition_id:
        return row, MailingPart(row.id), row.sums
    detail: editions.EditionDetail | Refused = editions.edition_detail(row.id, edition_id)
    return replace(row, one_topic=True), MailingPart(row.id, edition_id), or_fail(detail).sums


def _document(row: MailingRow) -> dict[str, object]:
    return {"key": row.key, "state": row.state.value, "mails": _in_words(row, row.sums), "begun": row.created_at}


def _in_words(row: MailingRow, sums: MailingSums) -> str:
    threshold = wiring.config().small_number
    return str(shown_sums(sums, one_topic=row.shields(threshold), threshold=threshold))


def _count(row: MailingRow, count: int) -> str:
    threshold = wiring.config().small_number
    return shown_count(count, one_topic=row.shields(threshold), threshold=threshold)


def _slot(slot: MailingSlot) -> str:
    whose = f" for {slot.hour:02d}:00 in {slot.zone}" if slot.zone else ""
    return f"{when(slot.cut_at)} UTC{whose}{', too late: comes with the next' if slot.late else ''}"


def _told(row: MailingRow, done: Stopped, json: bool, sentence: str) -> None:
    mails, gone = _count(row, done.changed), _count(row, done.gone)
    result({"mailing": row.key, "changed": mails, "gone": gone}, json, sentence.format(mails=mails, gone=gone))
