"""Commands for what was mailed, and what became of it."""

import getpass
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, ask, counted, example, fail, misuse, note, progress, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.delivery.ledger import reports as ledger_reports
from newsletter.delivery.ledger import resend
from newsletter.delivery.mailings import delivery_story
from newsletter.delivery.mailings.edition_items import StoryItem
from newsletter.lib import db
from newsletter.lib.mail import provider_ids
from newsletter.lib.refused import Refused
from newsletter.models import BatchState, DeliveryState

app = typer.Typer()

Why = Annotated[str, typer.Option(help="What you know and how you know it; stored with each mail.")]
Who = Annotated[str, typer.Option(help="Who decided; without it, you.")]
Whole = Annotated[bool, typer.Option("--batch", help="All mails in doubt together with this one.")]

_STATES = sorted({*BatchState.values, *DeliveryState.values})


@app.command("list", epilog=example("deliveries list --state unknown"))
def list_deliveries(
    state: Annotated[str, typer.Option(help="Only those in this state.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    json: Json = False,
) -> None:
    """List deliveries by their reference. Nobody is named."""
    ready()
    if state and state not in _STATES:
        misuse(f"--state is one of {', '.join(_STATES)}")
    columns = {
        "Reference": lambda row: row.reference,
        "State": lambda row: row.state,
        "Occasion": lambda row: row.occasion,
        "Batch": lambda row: row.batch_id,
        "Why": lambda row: row.reason or "",
    }
    table(ledger_reports.listing(wiring.vault(), state, limit), json, columns, empty="No deliveries.")


@app.command(epilog=example("deliveries sums --limit 3"))
def sums(
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many, the newest first.")] = 10,
    json: Json = False,
) -> None:
    """Show what became of each alert and digest as a whole.

    Planned is the sum of accepted and all others.
    """
    ready()
    mailings = ledger_reports.mailings(limit)
    if json:
        result([{**asdict(each), "planned": each.planned, "under_way": each.under_way} for each in mailings], json)
        return
    columns: dict[str, Callable[[ledger_reports.Mailing], object]] = {
        "Occasion": lambda each: each.key,
        "Begun": lambda each: f"{each.created_at:%m-%d %H:%M}",
        "Complete": _complete,
        "Planned": lambda each: each.planned,
        "Accepted": lambda each: each.by_state.get("accepted", 0),
        "Others": _others,
    }
    table(mailings, json, columns, empty="Nothing was mailed yet, or the record is no longer kept.")


def _complete(mailing: ledger_reports.Mailing) -> str:
    if mailing.under_way:
        return "under way"
    return f"{mailing.closed_at:%m-%d %H:%M}" if mailing.closed_at else "-"


def _others(mailing: ledger_reports.Mailing) -> str:
    """The mails that were not accepted, by state."""
    states = [f"{count} {state}" for state, count in mailing.by_state.items() if count and state != "accepted"]
    return ", ".join([*states, *([f"{mailing.under_way} under way"] if mailing.under_way else [])])


@app.command(epilog=example("deliveries explain 7K3F-09QA-M2"))
def explain(reference: str, json: Json = False) -> None:
    """Show what happened to the mail with this reference at its foot, but not whose it is."""
    ready()
    story = delivery_story.explain(reference, wiring.vault())
    if story is None:
        fail("there is no such reference: check the spelling (records are kept for 14 days)")
    lines = [
        f"{story.reference}: {story.state}{f' ({story.reason})' if story.reason else ''}",
        f"for {story.occasion}, planned {when(story.planned_at)}, batch {story.batch_id}",
        *(f"  item {item.item_id} version {item.version}, {item.title!r}: {_topics(item)}" for item in story.items),
        *(f"  attempt {_attempt(row)}" for row in story.attempts),
        *(f"  {_step(step)}" for step in sorted([*story.matched, *story.steps], key=lambda step: step.at)),
        *(f"  agreed on {step.at:%Y-%m-%d} to {step.detail}" for step in story.consents),
    ]
    result(story, json, *lines)


@app.command(
    epilog=example(
        "deliveries retry 7K3F-09QA-M2 --why 'she called, nothing came'",
        "deliveries retry --all-parked --why 'the relay is back'",
    )
)
def retry(
    why: Why,
    reference: Annotated[str, typer.Argument(help="Of a mail that is unknown or parked.")] = "",
    who: Who = "",
    batch: Whole = False,
    all_parked: Annotated[
        bool, typer.Option("--all-parked", help="All parked mails whose content is still stored; never mails in doubt.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --all-parked.")] = False,
    json: Json = False,
) -> None:
    """Send an unknown or parked mail once more. If it was accepted the first time, it arrives twice."""
    if bool(reference) == all_parked or (all_parked and batch):
        misuse("name one REFERENCE (with --batch: all in doubt with it), or use --all-parked alone")
    word = _word(who, why)
    ready()
    if all_parked:
        _retry_parked(word, yes, json)
    else:
        _told(
            resend.retry(reference, word, now=db.now(), vault=wiring.vault(), actor=actor.from_command(), whole=batch),
            "planned again",
            json,
        )


@app.command(epilog=example("deliveries resolve 7K3F-09QA-M2 --as accepted --why 'it is in the server log'"))
def resolve(
    reference: str,
    state: Annotated[str, typer.Option("--as", help="accepted or failed.")],
    why: Why,
    who: Who = "",
    batch: Whole = False,
    json: Json = False,
) -> None:
    """Record what became of an unknown mail, or close a parked one. Nothing is sent."""
    if state not in ("accepted", "failed"):
        misuse("--as is accepted or failed. To send the mail once more, use 'newsletter deliveries retry'")
    ready()
    done = resend.resolve(
        reference,
        state == "accepted",
        _word(who, why),
        now=db.now(),
        vault=wiring.vault(),
        actor=actor.from_command(),
        whole=batch,
    )
    _told(done, f"now {state}", json)


@app.command(
    epilog=example(
        "deliveries release --provider sendgrid --since 2026-11-24T08:00 --why 'account was closed at 08:00'"
    )
)
def release(
    provider: Annotated[str, typer.Option(help="The provider that accepted the mails: smtp, sendgrid, smtp-2 …")],
    since: Annotated[datetime, typer.Option(help="From when on, UTC.", formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])],
    why: Annotated[str, typer.Option(help="The proof that these mails will never leave the provider.")],
    who: Who = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without it, only the number is shown.")] = False,
    json: Json = False,
) -> None:
    """Send again what a provider accepted and then dropped.

    For a closed account or a deleted queue, for instance. Mails that the provider reported on are left out.
    """
    number = provider_ids.number_of(provider)
    if number is None:
        misuse("--provider is smtp, sendgrid or outbox, or the second of one kind, as smtp-2")
    word = _word(who, why)
    ready()
    moment = since.replace(tzinfo=UTC)
    if not yes:
        count = resend.count_releasable(number, moment)
        words = f"{_mails(count)} would be sent again, and arrive twice if they arrived before: add --yes to do it"
        result({"releasable": count}, json, words)
        return
    _told(resend.release(number, moment, word, now=db.now(), actor=actor.from_command()), "planned again", json)


def _retry_parked(word: resend.OperatorNote, yes: bool, json: bool) -> None:
    found = resend.parked_mails()
    if found.left:
        stay = counted(found.left, "mail stays", "mails stay")
        note(f"{stay} parked: the content is not stored any more, or one may have left; look at them one by one")
    if not found.deliveries:
        fail("no parked mail can be sent again: see 'newsletter deliveries list --state parked'")
    if not yes:
        for reason, number in found.reasons.items():
            note(f"{number}: {reason}")
        count = f"{_mails(found.deliveries)} in {counted(found.batches, 'batch', 'batches')}"
        ask(f"Send {count} again?", f"{count} would be sent again: add --yes to do it")
    with progress("planning again") as update:
        done = resend.retry_parked(word, now=db.now(), actor=actor.from_command(), progress=update)
    _told(done, "planned again", json)


def _mails(number: int) -> str:
    return counted(number, "mail")


def _topics(item: StoryItem) -> str:
    """`topics Uyghur (2), Huawei (5)`; an own keyword stays unnamed."""
    curated = [f"{topic.name} ({topic.topic_id})" for topic in item.topics if topic.name is not None]
    words = [f"topic{'' if len(curated) == 1 else 's'} {', '.join(curated)}"] if curated else []
    if len(curated) < len(item.topics):
        words.append("a keyword of their own")
    return " and ".join(words)


def _step(step: delivery_story.StoryStep) -> str:
    """`2026-11-10 07:00 handed over: smtp`."""
    return f"{when(step.at)} {step.what}{f': {step.detail}' if step.detail else ''}"


def _attempt(row: Mapping[str, object]) -> str:
    waived = f", waived by {row['waived_by']}" if row["waived_by"] else ""
    by = provider_ids.name_of(int(str(row["provider"])))
    return f"{row['n']} at {row['began_at']:%Y-%m-%d %H:%M} by {by}: {row['outcome'] or 'under way'}{waived}"


def _word(who: str, why: str) -> resend.OperatorNote:
    if not why.strip():
        misuse("--why must not be empty: it is what remains of your reasons later")
    return resend.OperatorNote(who.strip() or getpass.getuser(), " ".join(why.split()))


def _told(done: resend.ResendResult | Refused, what: str, json: bool) -> None:
    if isinstance(done, Refused):
        fail(done.reason)
    result(done, json, f"{_mails(done.deliveries)} {what}")
