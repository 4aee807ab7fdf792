"""Commands that change or end what one person gets, at their word. No command prints an address or a keyword back."""

from collections.abc import Sequence
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, ask, counted, example, fail, misuse, or_fail, result
from newsletter.cli.service.migrations import ready
from newsletter.cli.subscribers.add import read_cadence, read_zone
from newsletter.cli.subscribers.address import AddressArgument, read_address
from newsletter.delivery.ledger.cancel import cancel_planned
from newsletter.lib import db
from newsletter.subscribers.person import edit as changes
from newsletter.subscribers.person.find import look_up
from newsletter.subscribers.person.read import Person, PersonSubscription, read_person

app = typer.Typer()

Topics = Annotated[list[str] | None, typer.Option("--topic", metavar="NAME", help="This topic; may be repeated.")]
Keywords = Annotated[
    list[int] | None,
    typer.Option("--keyword", metavar="N", help="Their own keyword of this number in 'subscribers show'."),
]


@app.command(
    epilog=example(
        "subscribers edit --topic Uyghur --cadence weekly",
        "subscribers edit --timezone Asia/Almaty --hour 8",
    )
)
def edit(
    address: AddressArgument = "-",
    topic: Topics = None,
    keyword: Keywords = None,
    cadence: Annotated[str, typer.Option(help="How often: immediate, daily or weekly.")] = "",
    timezone: Annotated[str, typer.Option(help="Their time zone, e.g. Europe/Berlin.")] = "",
    hour: Annotated[int | None, typer.Option(min=0, max=23, help="Hour of daily and weekly mails.")] = None,
    weekday: Annotated[int | None, typer.Option(min=0, max=6, help="Day of weekly mails; Monday is 0.")] = None,
    json: Json = False,
) -> None:
    """Change how often mail comes to a person, for some topics or for all, and when."""
    ready()
    times = bool(timezone) or hour is not None or weekday is not None
    if not cadence and not times:
        misuse("say what to change: --cadence, --timezone, --hour or --weekday")
    chosen = read_cadence(cadence) if cadence else None
    zone = read_zone(timezone) if timezone else ""
    person, who, changed = _person(address), actor.from_command(), 0
    if chosen is not None:
        for row in _rows(person, topic or (), keyword or ()) or person.live:
            changed += or_fail(
                changes.change_cadence(person.subscriber_id, row.subscription_id, chosen, now=db.now(), actor=who)
            ).count
    if times:
        time = changes.with_mail_time(person.mail_time, zone=zone, hour=hour, weekday=weekday)
        subscribing = wiring.subscribing(db.now())
        changed += or_fail(changes.change_mail_time(person.subscriber_id, time, subscribing, actor=who)).count
    result({"changed": changed}, json, f"changed {counted(changed, 'subscription')}")


@app.command(epilog=example("subscribers end --topic Uyghur", "subscribers end --all --yes"))
def end(
    address: AddressArgument = "-",
    topic: Topics = None,
    keyword: Keywords = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Stop all mail to them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """End a person's subscriptions, or all mail to them. Planned mail that is only about these is not sent."""
    ready()
    if all_of_them == bool(topic or keyword):
        misuse("name --topic or --keyword, or say --all")
    person, who = _person(address), actor.from_command()
    rows = _rows(person, topic or (), keyword or ())
    if all_of_them:
        if not yes:
            ask("Stop all mail to this person?", "add --yes to stop all mail to this person")
        ended = or_fail(changes.end_all(person.subscriber_id, now=db.now(), vault=wiring.vault(), actor=who)).count
    else:
        ended = sum(
            or_fail(
                changes.end_subscription(
                    person.subscriber_id,
                    row.subscription_id,
                    now=db.now(),
                    actor=who,
                    cancel_planned=cancel_planned,
                )
            ).count
            for row in rows
        )
    result({"ended": ended}, json, f"ended {counted(ended, 'subscription')}")


def _person(address: str) -> Person:
    found = look_up(read_address(address), vault=wiring.vault())
    person = None if found.subscriber_id is None else read_person(found.subscriber_id, vault=wiring.vault())
    if person is None:
        fail("nobody has this address: 'newsletter subscribers add' subscribes somebody")
    return person


def _rows(person: Person, topics: Sequence[str], keywords: Sequence[int]) -> list[PersonSubscription]:
    """Their live subscriptions of these names and numbers."""
    rows = []
    for name in topics:
        rows += [row for row in person.live if row.name and row.name.casefold() == name.casefold()] or _not_followed()
    for number in keywords:
        rows += [row for row in person.live if row.own_word == number] or _not_followed()
    return rows


def _not_followed() -> list[PersonSubscription]:
    fail("this person does not follow that: see 'newsletter subscribers show'")
