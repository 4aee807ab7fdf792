"""Commands that pause and resume sending, and choose which provider carries which mail."""

from dataclasses import asdict
from typing import Annotated, NoReturn

import typer

from newsletter import delivery_wiring, wiring
from newsletter.audit import actor
from newsletter.audit.actor import Actor
from newsletter.cli.output import Json, counted, example, fail, misuse, note, or_fail, result, table
from newsletter.cli.service.migrations import ready
from newsletter.config.provider_urls import Configured
from newsletter.delivery.gates import provider_gate, restore_guard, sending_gate
from newsletter.delivery.gates.provider_gate import PausedProvider
from newsletter.delivery.gates.resume_sending import resume_sending
from newsletter.delivery.routing import move_batches, rules
from newsletter.lib import db
from newsletter.lib.mail import provider_ids
from newsletter.lib.refused import Refused
from newsletter.status.sending_state import ProviderState, read_sending

app = typer.Typer()

ByName = Annotated[str, typer.Option(metavar="NAME", help="Only this provider, by its name in 'sending list'.")]


@app.command("list", epilog=example("sending list"))
def list_providers(json: Json = False) -> None:
    """Show the providers, what waits for them, and the chosen shares."""
    ready()
    state = read_sending(now=db.now())
    if json:
        document = {
            "paused_by": state.paused_by,
            "providers": [_provider(one) for one in state.providers],
            "shares": [_document(rule) for rule in state.rules],
        }
        result(document, json)
        return
    columns = {
        "Provider": lambda row: row.status.provider,
        "Gate": lambda row: "open" if row.status.open else "paused",
        "Out since": lambda row: row.status.out_since,
        "Why": lambda row: row.status.paused_by or row.status.out_why or "",
        "Planned": lambda row: row.status.planned,
        "Pace": lambda row: f"{row.pace:g}/s" if row.pace else "",
        "Last answer": lambda row: f"{row.answers[0].outcome} {row.answers[0].words}".strip() if row.answers else "",
    }
    table(state.providers, json, columns, empty="No provider.")
    result(None, json, *(_describe(rule) for rule in state.rules))
    if state.paused_by:
        note(f"nothing is sent at all: paused by {state.paused_by}")


@app.command(epilog=example("sending pause --why 'wrong postal address'", "sending pause --provider smtp-2"))
def pause(
    why: Annotated[str, typer.Option(help="The reason, shown in 'status'.")] = "an operator",
    provider: ByName = "",
    json: Json = False,
) -> None:
    """Stop sending all mail, or the mail of one provider. Nothing is lost meanwhile."""
    ready()
    who = actor.from_command()
    again = f"'newsletter sending resume{f' --provider {provider}' if provider else ''}' opens it"
    if provider:
        or_fail(provider_gate.pause(_number(provider), why, now=db.now(), actor=who, by_hand=True))
    else:
        or_fail(sending_gate.pause(why, now=db.now(), actor=who))
    document = {"sending": "paused", "why": why, "provider": provider or None}
    result(document, json, f"{provider or 'sending'} is paused ({why}): {again}")


@app.command(epilog=example("sending resume", "sending resume --provider sendgrid", "sending resume --confirm"))
def resume(
    confirm: Annotated[
        bool,
        typer.Option("--confirm", help="This is the one installation that sends, although its data looks restored."),
    ] = False,
    provider: ByName = "",
    json: Json = False,
) -> None:
    """Resume sending, or one provider by its name.

    Without a name, this also opens providers that closed by themselves.
    """
    ready()
    who = actor.from_command()
    still_paused: list[PausedProvider] = []
    if provider:
        provider_gate.resume(provider_ids.number_of(provider) or _unknown_provider(), now=db.now(), actor=who)
    else:
        if confirm:
            _confirm(who)
        still_paused = or_fail(resume_sending(delivery_wiring.host_guard(), now=db.now(), actor=who))
    names = [provider_ids.name_of(gate.provider) for gate in still_paused]
    document = {"sending": "open", "provider": provider or None, "still_paused": names}
    result(document, json, f"{provider or 'sending'} is open")
    for gate, name in zip(still_paused, names, strict=True):
        note(f"{name} was paused by name ({gate.why}): 'newsletter sending resume --provider {name}'")
    if provider and (why := sending_gate.pause_reason()):
        note(f"nothing is sent all the same, sending is paused by {why}: 'newsletter sending resume'")


@app.command(
    epilog=example(
        "sending share 10% --provider sendgrid",
        "sending share 100% --provider sendgrid --domain gmail.com",
        "sending share --forget --domain gmail.com",
    )
)
def share(
    percent: Annotated[str, typer.Argument(metavar="PERCENT", help="0% to 100% of the people.")] = "",
    provider: Annotated[str, typer.Option(metavar="NAME", help="The provider; the other one sends the rest.")] = "",
    domain: Annotated[str, typer.Option(help="Only people with addresses of this domain.")] = "",
    forget: Annotated[bool, typer.Option("--forget", help="Remove this rule.")] = False,
    json: Json = False,
) -> None:
    """Choose the share of people whose mail one provider sends.

    It counts from the next mails on. A person who was moved stays there.
    """
    ready()
    where = _domain(domain)
    if forget:
        if not rules.delete_rule(where, now=db.now(), actor=actor.from_command()):
            fail("there is no such rule: see 'newsletter sending list'")
        result(
            {"domain": where, "forgotten": True}, json, f"mails to {_people(where)} go as if nothing had been chosen"
        )
        return
    rule = rules.RoutingRule(where, _number(provider), _percent(percent))
    if len(wiring.config().providers) < 2:
        fail("there is only one provider: set NEWSLETTER_MAIL_URL_2 first")
    rules.store_rule(rule, now=db.now(), actor=actor.from_command())
    result(_document(rule), json, _describe(rule))
    note("what is planned already stays where it is: 'newsletter sending move' takes all of it along")


@app.command(epilog=example("sending move --from smtp --to sendgrid"))
def move(
    source: Annotated[str, typer.Option("--from", metavar="NAME", help="The provider that has the mail now.")],
    target: Annotated[str, typer.Option("--to", metavar="NAME", help="The provider that is to send it.")],
    json: Json = False,
) -> None:
    """Hand the planned mail of one provider to the other.

    Mail that was begun, accepted or is in doubt stays where it is.
    """
    ready()
    number = provider_ids.number_of(source) or _unknown_provider()
    if number == _number(target):
        misuse("--from and --to are the same provider")
    planned = delivery_wiring.planned_providers()[_number(target)]
    batches = move_batches.move_batches(number, planned, now=db.now(), actor=actor.from_command())
    document = {"from": source, "to": target, "batches": batches}
    result(document, json, f"{counted(batches, 'batch', 'batches')} of {source} moved to {target}")
    if any(carrier.number == number for carrier in wiring.config().providers):
        note(
            f"new mails go as before: 'newsletter sending share 100% --provider {target}' lets all of them go by {target}"
        )


def _confirm(who: Actor) -> None:
    guard = delivery_wiring.host_guard()
    guard.confirm_installation(now=db.now(), actor=who)
    if restore_guard.read(guard.directory) is None:
        fail(
            f"confirmed, but no file can be written in {guard.directory}: "
            "mend that and confirm again, or sending closes again"
        )


def _provider(one: ProviderState) -> dict[str, object]:
    more = {"configured": one.configured, "pace": one.pace, "share": one.share, "answers": one.answers}
    return {**asdict(one.status), **more}


def configured_provider(name: str) -> Configured:
    """The configured provider of this name."""
    return next((carrier for carrier in wiring.config().providers if carrier.name == name), None) or _unknown_provider()


def _number(name: str) -> int:
    return configured_provider(name).number


def _unknown_provider() -> NoReturn:
    names = [carrier.name for carrier in wiring.config().providers]
    hint = "; NEWSLETTER_MAIL_URL_2 names a second one" if len(names) == 1 else ""
    misuse(f"the provider must be one of {', '.join(names)}{hint}")


def _percent(text: str) -> int:
    digits = text.removesuffix("%").strip()
    if not (digits.isascii() and digits.isdigit() and int(digits) <= 100):
        misuse("write the share as a whole number of percent, for example 10%")
    return int(digits)


def _domain(text: str) -> str:
    domain = delivery_wiring.rule_domain(text)
    if isinstance(domain, Refused):
        misuse(domain.reason)
    return domain


def _document(rule: rules.RoutingRule) -> dict[str, object]:
    return asdict(rule) | {"provider": provider_ids.name_of(rule.provider)}


def _describe(rule: rules.RoutingRule) -> str:
    name = provider_ids.name_of(rule.provider)
    known = any(carrier.number == rule.provider for carrier in wiring.config().providers)
    idle = "" if known else f" (left out: {name} is not configured)"
    return f"{rule.share}% of {_people(rule.domain)} go by {name}{idle}"


def _people(domain: str) -> str:
    return "all other people" if domain == rules.EVERYBODY else f"people at {domain}"
