"""Commands for messages to the followers of a topic, or to everybody."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from newsletter import edition_wiring, message_wiring, wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, ask, example, fail, misuse, or_fail, read_file, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.delivery.mailings.shown import ShownSums, shown_count, shown_sums
from newsletter.delivery.mailings.sums import sums_of
from newsletter.editions.messages import drafts
from newsletter.editions.messages.audience import count_people
from newsletter.editions.messages.checks import check_message
from newsletter.editions.messages.drafts import LONGEST, MessageText
from newsletter.editions.messages.message_list import message_page, waiting_messages
from newsletter.lib import db
from newsletter.lib.time_zones import is_place
from newsletter.matching.topics.lookup import find_topic, no_such_topic
from newsletter.models import Message

app = typer.Typer()

Number = Annotated[int, typer.Argument(metavar="MESSAGE", min=1, help="The message's number.")]


@app.command("list", epilog=example("messages list"))
def list_messages(json: Json = False) -> None:
    """List messages; those that wait for somebody first."""
    ready()
    rows = [_document(row) for row in (*waiting_messages(), *message_page().rows)]
    columns = {
        "Message": lambda row: row["message"],
        "Subject": lambda row: row["subject"],
        "To": lambda row: row["to"],
        "State": lambda row: row["state"],
        "Starts": lambda row: row["start_at"] or "-",
        "Mails": lambda row: row["mails"],
    }
    table(rows, json, columns, empty="No messages yet: write one with 'newsletter messages write FILE'")


@app.command(epilog=example("messages show 3"))
def show(message: Number, json: Json = False) -> None:
    """Show a message: its text, what was checked, and what became of it."""
    ready()
    row = or_fail(drafts.find_message(message))
    checked = check_message(row, edition_wiring.renderer(), day=(row.start_at or db.now()).date())
    document = _document(row) | {"text": row.markdown, "checks": checked.checks}
    lines = [
        f"message {row.id}: {row.subject}  ({row.state}, revision {row.revision})",
        f"to: {document['to']}; mails: {document['mails']}",
        *([f"starts {when(row.start_at)} UTC, chosen in {row.zone} by {row.sent_by}"] if row.start_at else []),
        *(f"{check.name}: {check.problem or check.detail or 'ok'}" for check in checked.checks),
        "",
        row.markdown,
    ]
    result(document, json, *lines)


@app.command(
    epilog=example(
        "messages write move.md --subject 'We move' --everybody",
        "messages write - --subject 'A meeting' --topic Harbour",
    )
)
def write(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The text in Markdown; - is standard input.")],
    subject: Annotated[str, typer.Option(help="The heading in the mail.")],
    topic: Annotated[str, typer.Option(help="To the followers of this topic.")] = "",
    everybody: Annotated[bool, typer.Option("--everybody", help="To all active subscribers.")] = False,
    json: Json = False,
) -> None:
    """Write a message as a draft. Nothing is sent."""
    ready()
    if bool(topic) == everybody:
        misuse("give either --topic NAME or --everybody")
    found = find_topic(topic) if topic else None
    if topic and found is None:
        fail(no_such_topic().reason)
    data = read_file(file, 4 * LONGEST)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        misuse(f"{file} is not UTF-8: save the file as UTF-8")
    typed = MessageText(subject, text, found.id if found else None)
    row = or_fail(drafts.write_message(typed, actor=actor.from_command(), now=db.now()))
    result(_document(row), json, f"message {row.id} is a draft: send it with 'newsletter messages send {row.id}'")


@app.command(epilog=example("messages send 3", "messages send 3 --at '2026-12-01 09:00' --zone Europe/Berlin"))
def send(
    message: Number,
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d %H:%M"], help="When; without it, in five minutes.")
    ] = None,
    zone: Annotated[str, typer.Option(help="The time zone of --at.")] = "UTC",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Send a draft now, which begins in five minutes, or at a time."""
    ready()
    if not is_place(zone):
        misuse("--zone is a name such as Europe/Berlin")
    row = or_fail(drafts.find_message(message))
    people = _people(count_people(row.topic_id, now=db.now()), row)
    if not yes:
        ask(f"This mails {people} ({_audience(row)}). Send it?", "give --yes to send it without a question")
    moment = at.replace(tzinfo=ZoneInfo(zone)) if at else None
    sent = or_fail(
        message_wiring.send(
            message, at=moment, zone=zone, revision=row.revision, actor=actor.from_command(), now=db.now()
        )
    )
    result(
        _document(sent.message) | {"people": people},
        json,
        f"message {message} starts {when(sent.start_at)} UTC and mails {people}",
        f"Until then 'newsletter messages stop {message}' keeps all of it back.",
    )


@app.command(epilog=example("messages stop 3"))
def stop(message: Number, json: Json = False) -> None:
    """Keep back what has not left of a message."""
    ready()
    stopped = or_fail(message_wiring.stop(message, actor=actor.from_command(), now=db.now()))
    kept, gone = (_count(count, stopped.message) for count in (stopped.stopped, stopped.gone))
    words = f"stopped {kept}, {gone} had gone" if stopped.gone else "stopped before anything left"
    result({"message": message, "stopped": kept, "gone": gone}, json, f"message {message}: {words}")


def _document(row: Message) -> dict[str, Any]:
    return {
        "message": row.id,
        "subject": row.subject,
        "to": _audience(row),
        "state": row.state,
        "start_at": row.start_at,
        "written_by": row.written_by,
        "mails": str(_sums(row) or "none yet"),
    }


def _sums(row: Message) -> ShownSums | None:
    sums = sums_of([row.occasion_id]).get(row.occasion_id) if row.occasion_id is not None else None
    if sums is None or not sums.planned:
        return None
    return shown_sums(sums, one_topic=row.topic_id is not None, threshold=wiring.config().small_number)


def _audience(row: Message) -> str:
    return "everybody" if row.topic is None else f"followers of {row.topic.name}"


def _people(count: int, row: Message) -> str:
    return "1 person" if count == 1 and row.topic_id is None else f"{_count(count, row)} people"


def _count(count: int, row: Message) -> str:
    return shown_count(count, one_topic=row.topic_id is not None, threshold=wiring.config().small_number)
