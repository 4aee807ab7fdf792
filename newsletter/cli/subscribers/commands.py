"""Commands that count, show and erase subscribers. No command prints an address or a keyword back."""

from collections.abc import Iterator
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.audit import actor
from newsletter.cli.output import Json, ask, counted, example, fail, or_fail, result, when
from newsletter.cli.service.migrations import ready
from newsletter.cli.subscribers.address import AddressArgument, read_address
from newsletter.delivery import erasure
from newsletter.delivery.ledger.mails_of_person import GivenArticles, PersonMail, given_articles, mails_of
from newsletter.lib import db
from newsletter.subscribers import lookup_and_erase
from newsletter.subscribers.person.consent import consent_sentences
from newsletter.subscribers.person.find import find_person, look_up
from newsletter.subscribers.person.read import Person, PersonSubscription, read_person

app = typer.Typer()


@app.command("list", epilog=example("subscribers list"))
def list_subscribers(json: Json = False) -> None:
    """Count subscribers by state. No command lists who they are."""
    ready()
    counts = lookup_and_erase.counts()
    result(
        counts,
        json,
        *(f"{count:6} {state}" for state, count in counts.items()),
        "There is no list of people: addresses are encrypted, and no command prints one.",
        "If you know an address, 'newsletter subscribers show' shows what is stored about it.",
    )


@app.command(epilog=example("subscribers show", "subscribers show --reason 'she asked what we store'"))
def show(
    address: AddressArgument = "-",
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit log, and names nobody.")] = "",
    json: Json = False,
) -> None:
    """Show what is stored about the person with this address. The audit log says who looked, never at whom by address."""
    ready()
    why = reason or "none given, on the command line"
    found = or_fail(
        find_person(read_address(address), why, now=db.now(), vault=wiring.vault(), actor=actor.from_command())
    )
    person = None if found.subscriber_id is None else read_person(found.subscriber_id, vault=wiring.vault())
    if person is None:
        if found.suppressed is None:
            fail("nothing is stored under this address")
        result(found, json, f"nobody has this address, and it is not mailed: {found.suppressed}")
        return
    mails = mails_of(person.subscriber_id)
    given = given_articles(person.subscriber_id, list(person.names), now=db.now())
    result(_document(person, mails, given), json, *_lines(person, mails, given))


def _document(person: Person, mails: list[PersonMail], given: GivenArticles) -> dict[str, object]:
    """Everything but the address."""
    document = {name: value for name, value in vars(person).items() if name not in ("address", "consent")}
    articles = {"count": given.count, "by_topic": dict(given.by_topic)}
    return {**document, "consent": consent_sentences(person.consent), "mails": mails, "articles": articles}


def _lines(person: Person, mails: list[PersonMail], given: GivenArticles) -> Iterator[str]:
    time, suppression = person.mail_time, person.suppression
    not_mailed = f"{suppression.reason}, since {when(suppression.since)}" if suppression else "no"
    yield f"subscriber {person.subscriber_id}: {person.state}, suppressed: {not_mailed}"
    yield f"since {when(person.created_at)}, confirmed {when(person.confirmed_at)}, {time.zone} {time.hour:02}:00"
    for row in (*person.live, *person.ended):
        ended = f", ended {when(row.ended_at)} ({row.ended_reason})" if row.ended_at else ""
        last = f", last match {when(row.last_match_at)}" if row.last_match_at else ""
        yield f"  {name_of(row)}: {row.cadence.name.lower()}, from {row.source}{last}{ended}"
    yield f"{counted(len(mails), 'mail')} of 14 days, {counted(given.count, 'article')} of 21 days:"
    for row in (*person.live, *person.ended):
        if count := given.by_topic.get(row.topic_id):
            yield f"  {name_of(row)}: {counted(count, 'article')}"
    yield "what they agreed to:"
    yield from (f"  {sentence}" for sentence in consent_sentences(person.consent))


def name_of(row: PersonSubscription) -> str:
    """A subscription as it is named to those who run the service: never a person's own keyword."""
    return row.name or f"own keyword {row.own_word}"


@app.command(epilog=example("subscribers erase --yes", "subscribers erase --may-return"))
def erase(
    address: AddressArgument = "-",
    may_return: Annotated[
        bool, typer.Option("--may-return", help="Keep nothing that stops them from subscribing again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Erase a person for good. A keyed hash stays, so that the address is never mailed again, unless you say --may-return."""
    ready()
    found = look_up(read_address(address), vault=wiring.vault())
    rows = None if found.subscriber_id is None else lookup_and_erase.rows_to_erase(found.subscriber_id)
    if found.subscriber_id is None or rows is None:
        fail("nothing is stored under this address")
    if not yes:
        mails = erasure.mails_of_erased(found.subscriber_id)
        goes = (
            f"{counted(rows.subscriptions, 'subscription')}, {counted(rows.consents, 'consent')}, "
            f"{counted(rows.notices, 'notice')}, the content of {counted(mails.bodies, 'mail')}"
        )
        again = "" if may_return else ", and never mail this address again"
        stays = f"{counted(mails.deliveries, 'delivery', 'deliveries')} stay by number for 14 days"
        ask(f"Erase this person ({goes}; {stays}){again}?", "add --yes to erase this person for good")
    lookup_and_erase.erase_person(
        found.subscriber_id,
        now=db.now(),
        vault=wiring.vault(),
        forget=wiring.forget,
        actor=actor.from_command(),
        never_again=not may_return,
    )
    kept = "They can subscribe again." if may_return else "This address is never mailed again."
    result({"erased": True, "never_again": not may_return}, json, f"Erased. {kept}")
