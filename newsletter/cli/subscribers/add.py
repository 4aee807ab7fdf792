"""The command that subscribes somebody. It does not print an address or a keyword back."""

import sys
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, counted, example, fail, misuse, note, result
from newsletter.cli.service.migrations import ready
from newsletter.cli.subscribers.address import AddressArgument, read_address
from newsletter.lib import db, locales, time_zones
from newsletter.matching.query import language
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics import topic_status
from newsletter.models import Cadence
from newsletter.subscribers.admin_subscribe import AddedSubscriber, HasLeft, Suppressed, subscribe_directly
from newsletter.subscribers.choices import Choices, MailTime

app = typer.Typer()

_CADENCES = {cadence.name.lower(): cadence for cadence in Cadence}


@app.command(
    epilog=example(
        "subscribers add --topic Uyghur --confirmed",
        "subscribers add reader@example.org --topic Uyghur",
        "subscribers add --topic Huawei --query - --cadence daily --timezone Asia/Almaty --hour 7",
    )
)
def add(
    address: AddressArgument = "-",
    topic: Annotated[list[str] | None, typer.Option(help="A topic to follow; may be repeated.")] = None,
    query: Annotated[
        list[str] | None,
        typer.Option(
            help="A keyword of their own; may be repeated. '-' reads keywords from standard input to its end, one a line; "
            "if the address is read there too, it is the first line."
        ),
    ] = None,
    cadence: Annotated[str, typer.Option(help="How often: immediate, daily or weekly.")] = "immediate",
    locale: Annotated[str, typer.Option(help="Language of the dates in their mails, e.g. de.")] = "en",
    timezone: Annotated[str, typer.Option(help="Their time zone, e.g. Europe/Berlin.")] = "UTC",
    hour: Annotated[int, typer.Option(min=0, max=23, help="Hour of daily and weekly mails in their zone.")] = 7,
    weekday: Annotated[int, typer.Option(min=0, max=6, help="Day of weekly mails; Monday is 0.")] = 0,
    headlines: Annotated[bool, typer.Option("--headlines", help="Put headlines in the subject.")] = False,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="They agreed elsewhere: send no confirmation mail.")
    ] = False,
    returning: Annotated[
        bool, typer.Option("--returning", help="With --confirmed: they had left and asked to come back.")
    ] = False,
    json: Json = False,
) -> None:
    """Subscribe somebody. They are asked by mail first, unless you say --confirmed."""
    ready()
    plain = read_address(address)
    choices = Choices(
        topic_ids=_topic_ids(topic or []),
        keywords=_keywords(_with_standard_input(query or [])),
        cadence=read_cadence(cadence),
        mail_time=MailTime(read_zone(timezone), hour, weekday),
        discreet=not headlines,
        locale=_locale(locale),
    )
    if not choices.topic_ids and not choices.keywords:
        misuse("name at least one --topic or --query")
    subscribing = wiring.subscribing(db.now())
    done = subscribe_directly(
        plain,
        choices,
        subscribing,
        confirmed=confirmed,
        returning=returning,
        source="command",
        actor=actor.from_command(),
    )
    if isinstance(done, Suppressed):
        fail(f"this address must not be mailed ({done.reason})")
    if isinstance(done, HasLeft):
        fail("this person left: leave --confirmed out to ask them, or add --returning if they asked to come back")
    if not wiring.config().embedded:
        from newsletter.worker import tasks

        tasks.publish("notices")
    result(done, json, f"subscriber {done.subscriber_id} {_describe(done)}")


def _describe(done: AddedSubscriber) -> str:
    """What happened to the person."""
    if done.state == "pending" or not done.followed:
        if done.notice_id is None:
            return "was asked less than a day ago: the same confirmation mail now stands for these choices"
        return "is asked by mail to confirm"
    if done.was_active and not done.new:
        return "is already subscribed, and follows all of this: nothing was added"
    if done.was_active:
        return f"is already subscribed, and now follows {counted(done.new, 'more topic or keyword', 'more topics or keywords')}"
    resumed = ". Mail had stopped: they are told by mail that it starts again" if done.notice_id else ""
    return f"added, follows {counted(done.followed, 'topic or keyword', 'topics or keywords')}{resumed}"


def _topic_ids(names: list[str]) -> tuple[int, ...]:
    ids = []
    for name in names:
        topic = topic_status.find_status(name, small_number=wiring.config().small_number)
        if topic is None:
            fail("there is no such topic: see 'newsletter topics list'")
        ids.append(topic.topic_id)
    return tuple(ids)


def _with_standard_input(queries: list[str]) -> list[str]:
    """The keywords of the options, with those of the rest of standard input in place of `-`."""
    keywords = [query for query in queries if query != "-"]
    if len(keywords) < len(queries):
        if sys.stdin.isatty():
            note("Keywords, one a line; Ctrl-D ends them:")
        lines = [line.strip() for line in sys.stdin]
        if not any(lines):
            misuse(
                "--query - found no keyword in standard input: write one a line, after the address if that is read there"
            )
        keywords += [line for line in lines if line]
    return keywords


def _keywords(words: list[str]) -> tuple[str, ...]:
    try:
        return tuple(language.parse_keyword(word) for word in words)
    except QueryError as error:
        fail(f"a keyword cannot be used, column {error.column}: {error.hint}")


def read_cadence(text: str) -> Cadence:
    """The cadence of an option."""
    if text not in _CADENCES:
        misuse("--cadence is immediate, daily or weekly")
    return _CADENCES[text]


def read_zone(text: str) -> str:
    """The time zone of an option."""
    if not time_zones.is_place(text):
        misuse("--timezone is the name of a place such as Europe/Berlin or Asia/Almaty, or UTC")
    return text


def _locale(text: str) -> str:
    locale = locales.canonical(text)
    if locale is None:
        misuse("--locale is a language such as en, de or pt-BR")
    return locale
