"""Commands for subscribers. No command prints an address or a keyword back."""

import sys
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.cli.output import Json, example, fail, misuse, result, when
from newsletter.cli.service.migrations import ready
from newsletter.lib import db, locales, time_zones
from newsletter.lib.mail.provider_interface import Address
from newsletter.matching.query import language
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics import topic_status
from newsletter.models import Cadence
from newsletter.subscribers import lookup_and_erase
from newsletter.subscribers.admin_subscribe import AddedSubscriber, HasLeft, Suppressed, subscribe_directly
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.email_address import InvalidAddress, parse_address

app = typer.Typer()

AddressArgument = Annotated[
    str,
    typer.Argument(
        metavar="ADDRESS|-", help="The address; '-' reads it from standard input, out of the shell's history."
    ),
]
_CADENCES = {cadence.name.lower(): cadence for cadence in Cadence}


@app.command(
    epilog=example(
        "subscribers add reader@example.org --topic Uyghur --confirmed",
        "subscribers add - --topic Huawei --query - --cadence daily --timezone Asia/Almaty --hour 7",
    )
)
def add(
    address: AddressArgument,
    topic: Annotated[list[str] | None, typer.Option(help="A topic to follow; may be repeated.")] = None,
    query: Annotated[
        list[str] | None,
        typer.Option(
            help="A keyword of their own; may be repeated. '-' reads them from standard input to its end, one a line; if "
            "ADDRESS is '-' too, the address is the first line."
        ),
    ] = None,
    cadence: Annotated[str, typer.Option(help="immediate, daily or weekly.")] = "immediate",
    locale: Annotated[str, typer.Option(help="Language of dates in their mails.")] = "en",
    timezone: Annotated[str, typer.Option(help="Zone of their clock, e.g. Europe/Berlin.")] = "UTC",
    hour: Annotated[int, typer.Option(min=0, max=23, help="Local hour of daily and weekly mails.")] = 7,
    weekday: Annotated[int, typer.Option(min=0, max=6, help="Day of weekly mails, Monday is 0.")] = 0,
    headlines: Annotated[bool, typer.Option("--headlines", help="Put headlines in the subject.")] = False,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="They agreed elsewhere: no confirmation mail.")
    ] = False,
    returning: Annotated[
        bool, typer.Option("--returning", help="With --confirmed: they had left, and asked to come back.")
    ] = False,
    json: Json = False,
) -> None:
    """Subscribe somebody. Without --confirmed they are asked by mail first."""
    ready()
    plain = read_address(address)
    if cadence not in _CADENCES:
        misuse("--cadence is immediate, daily or weekly")
    _check_zone(timezone)
    choices = Choices(
        topic_ids=_topic_ids(topic or []),
        keywords=_keywords(_typed(query or [])),
        cadence=_CADENCES[cadence],
        mail_time=MailTime(timezone, hour, weekday),
        discreet=not headlines,
        locale=_locale(locale),
    )
    if not choices.topic_ids and not choices.keywords:
        misuse("name at least one --topic or --query")
    made = subscribe_directly(
        plain,
        choices,
        wiring.subscribing(db.now()),
        confirmed=confirmed,
        returning=returning,
        source="command",
    )
    if isinstance(made, Suppressed):
        fail(f"this address must not be mailed ({made.reason})")
    if isinstance(made, HasLeft):
        fail("this person left: leave --confirmed out to ask them, or add --returning if they asked to come back")
    if not wiring.config().embedded:
        from newsletter.worker import tasks

        tasks.publish("notices")
    result(made, json, f"subscriber {made.subscriber_id} {_told(made)}")


@app.command(epilog=example("subscribers show -"))
def show(address: AddressArgument, json: Json = False) -> None:
    """Show what is stored of the person with this address."""
    ready()
    shown = lookup_and_erase.show(read_address(address), vault=wiring.vault())
    if shown is None:
        fail("nothing is stored under this address")
    lines = [
        f"subscriber {shown.subscriber_id or '-'}: {shown.state}, suppressed: {shown.suppressed or 'no'}",
        f"since {when(shown.created_at)}, confirmed {when(shown.confirmed_at)}, {shown.zone} {shown.hour:02}:00",
    ]
    for line in shown.subscriptions:
        ended = f", ended {when(line.ended_at)} ({line.ended_reason})" if line.ended_at else ""
        what = line.words or "a keyword of their own"
        lines.append(f"  {what}: {Cadence(line.cadence).name.lower()}, from {line.source}{ended}")
    result(shown, json, *lines)


@app.command(epilog=example("subscribers erase - --yes"))
def erase(
    address: AddressArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete a person for good. A keyed hash stays, so that the address is never mailed again."""
    ready()
    plain = read_address(address)
    if not yes:
        typer.confirm("Delete this person and mail this address never again?", abort=True, err=True)
    if not lookup_and_erase.erase(plain, now=db.now(), vault=wiring.vault(), forget=wiring.forget):
        fail("nothing is stored under this address")
    result({"erased": True}, json, "erased")


def read_address(text: str) -> Address:
    """The address of an argument, or of one line of standard input for `-`."""
    try:
        return parse_address(sys.stdin.readline() if text == "-" else text)
    except InvalidAddress as error:
        fail(str(error))


def _topic_ids(names: list[str]) -> tuple[int, ...]:
    found = []
    for name in names:
        topic = topic_status.find_status(name)
        if topic is None:
            fail("there is no such topic: see 'newsletter topics list'")
        found.append(topic.topic_id)
    return tuple(found)


def _typed(queries: list[str]) -> list[str]:
    """The keywords of the options, with those of the rest of standard input in place of `-`: out of the shell's history."""
    typed = [query for query in queries if query != "-"]
    if len(typed) < len(queries):
        lines = [line.strip() for line in sys.stdin]
        if not any(lines):
            misuse(
                "--query - found no keyword in standard input: write one a line (after the address, if that is '-' too)"
            )
        typed += [line for line in lines if line]
    return typed


def _keywords(words: list[str]) -> tuple[str, ...]:
    try:
        return tuple(language.parse_keyword(word) for word in words)
    except QueryError as error:
        fail(f"a keyword cannot be used, column {error.column}: {error.hint}")


def _check_zone(zone: str) -> None:
    if not time_zones.is_place(zone):
        misuse("--timezone is the name of a place such as Europe/Berlin or Asia/Almaty, or UTC")


def _locale(text: str) -> str:
    found = locales.canonical(text)
    if found is None:
        misuse("--locale is a language such as en, de or pt-BR")
    return found


def _told(made: AddedSubscriber) -> str:
    if made.followed:
        again = ". Mail had been stopped: they are told by mail that it starts again" if made.notice_id else ""
        return f"added, follows {made.followed}{again}"
    if made.notice_id is None:
        return "was asked less than a day ago: the question now holds these choices"
    return "is asked by mail to confirm"
