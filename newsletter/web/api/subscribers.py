"""Subscribers, one at a time: each request names one address, in its body, which no answer repeats. Nobody can be listed."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError
from pydantic import Field

from newsletter import wiring
from newsletter.delivery.ledger.cancel import cancel_planned
from newsletter.lib import db, locales, time_zones
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Cadence
from newsletter.subscribers import lookup_and_erase
from newsletter.subscribers.admin_subscribe import HasLeft, Suppressed, subscribe_directly
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.email_address import InvalidAddress, parse_address
from newsletter.subscribers.person import edit
from newsletter.subscribers.person.find import FoundPerson, find_person
from newsletter.subscribers.person.read import Person, read_person
from newsletter.web.api.operation import Scope, actor_of, operation
from newsletter.web.api.problems import RefusedRequest, missing, or_refused
from newsletter.web.api.schema import ApiSchema, Id, Text

router = Router(tags=["subscribers"])

_CADENCES = {"immediate": Cadence.IMMEDIATE, "daily": Cadence.DAILY, "weekly": Cadence.WEEKLY}
CadenceName = Literal["immediate", "daily", "weekly"]
AddressIn = Annotated[Text, Field(max_length=320, examples=["reader@example.org"])]


class SubscriberCounts(ApiSchema):
    """How many subscribers the site has, by state."""

    pending: int = Field(examples=[12])
    active: int = Field(examples=[3204])
    left: int = Field(examples=[41])


class PersonIn(ApiSchema):
    """One person, and why they are looked up: the reason is kept in the audit log, and names nobody."""

    address: AddressIn
    reason: Text = Field(min_length=1, examples=["asked by phone, ticket 4711"])


class SubscriberIn(ApiSchema):
    """Somebody to subscribe. They are asked by mail first, unless they `confirmed` elsewhere."""

    address: AddressIn
    topics: list[Id] = Field(min_length=1, max_length=100, examples=[[7]])
    cadence: CadenceName = Field("daily", examples=["daily"])
    locale: Text = Field("en", examples=["en"])
    timezone: Text = Field("UTC", examples=["Europe/Berlin"])
    hour: int = Field(7, ge=0, le=23, examples=[7])
    weekday: int = Field(0, ge=0, le=6, examples=[0])
    headlines: bool = Field(False, examples=[False])
    confirmed: bool = Field(False, examples=[False])
    #: With `confirmed`: they had left and asked to come back.
    returning: bool = Field(False, examples=[False])


class AddedOut(ApiSchema):
    """The person follows `followed` topics now, `new` of them new; or they are asked by mail."""

    state: str = Field(examples=["pending"])
    followed: int = Field(examples=[0])
    new: int = Field(examples=[0])
    asked: bool = Field(examples=[True])


class FollowedOut(ApiSchema):
    """What a person follows. `name` is null for a keyword of their own, which is shown nowhere."""

    id: int = Field(examples=[90])
    topic_id: int = Field(examples=[7])
    name: str | None = Field(examples=["Uyghur"])
    cadence: str = Field(examples=["daily"])
    source: str = Field(examples=["page"])
    since: datetime = Field(examples=["2026-11-01T09:00:00Z"])


class PersonOut(ApiSchema):
    """What is stored of one person, without the address."""

    state: str = Field(examples=["active"])
    created_at: datetime | None = Field(examples=["2026-11-01T09:00:00Z"])
    confirmed_at: datetime | None = Field(examples=["2026-11-01T09:05:00Z"])
    suppressed: str | None = Field(examples=[None])
    timezone: str = Field(examples=["Europe/Berlin"])
    subscriptions: list[FollowedOut]


class EndIn(PersonIn):
    """What to end: the subscriptions to these topics, or all mail with null."""

    topics: list[Id] | None = Field(None, max_length=100, examples=[[7]])


class EndOut(ApiSchema):
    """So many subscriptions ended."""

    ended: int = Field(examples=[1])


class EraseIn(PersonIn):
    """`never_again`: a keyed hash of the address stays, so that nobody ever mails it again."""

    never_again: bool = Field(True, examples=[True])


class EraseOut(ApiSchema):
    """The person is erased for good."""

    erased: bool = Field(examples=[True])


@operation(router, "GET", "/subscribers/counts", Scope.READ, SubscriberCounts)
def count_subscribers(request: HttpRequest) -> Any:
    """Count all subscribers of the site by state."""
    return lookup_and_erase.counts()


@operation(router, "POST", "/subscribers", Scope.PEOPLE, AddedOut, status=201)
def add_subscriber(request: HttpRequest, person: SubscriberIn) -> Any:
    """Subscribe somebody to topics. They are asked by mail first, unless they confirmed elsewhere."""
    added = subscribe_directly(
        _address(person.address),
        _choices(person),
        wiring.subscribing(db.now()),
        confirmed=person.confirmed,
        returning=person.returning,
        source="api",
        actor=actor_of(request),
    )
    if isinstance(added, Suppressed):
        raise RefusedRequest(f"this address must not be mailed ({added.reason})")
    if isinstance(added, HasLeft):
        raise RefusedRequest("this person left: ask them by mail, or say that they are returning")
    _publish()
    return Status(
        201,
        {
            "state": added.state,
            "followed": added.followed,
            "new": added.new,
            "asked": added.notice_id is not None and not person.confirmed,
        },
    )


@operation(router, "POST", "/subscribers/lookup", Scope.PEOPLE, PersonOut, once=False)
def look_subscriber_up(request: HttpRequest, person: PersonIn) -> Any:
    """Show what is stored of one person. That it was looked up is recorded, with the reason."""
    found, stored = _found(request, person)
    return PersonOut(
        state=stored.state if stored else "unknown",
        created_at=stored.created_at if stored else None,
        confirmed_at=stored.confirmed_at if stored else None,
        suppressed=found.suppressed,
        timezone=stored.mail_time.zone if stored else "",
        subscriptions=[
            FollowedOut(
                id=row.subscription_id,
                topic_id=row.topic_id,
                name=row.name,
                cadence=row.cadence.name.lower(),
                source=row.source,
                since=row.created_at,
            )
            for row in (stored.live if stored else ())
        ],
    )


@operation(router, "POST", "/subscribers/end", Scope.PEOPLE, EndOut)
def end_subscriptions(request: HttpRequest, person: EndIn) -> Any:
    """End a person's subscriptions to some topics, or all mail to them."""
    _, stored = _found(request, person)
    if stored is None:
        raise missing("subscriber")
    now, actor = db.now(), actor_of(request)
    if person.topics is None:
        return {
            "ended": or_refused(edit.end_all(stored.subscriber_id, now=now, vault=wiring.vault(), actor=actor)).count
        }
    rows = [row for row in stored.live if row.topic_id in person.topics and row.name is not None]
    ended = [
        or_refused(
            edit.end_subscription(
                stored.subscriber_id, row.subscription_id, now=now, actor=actor, cancel_planned=cancel_planned
            )
        ).count
        for row in rows
    ]
    return {"ended": sum(ended)}


@operation(router, "POST", "/subscribers/erase", Scope.PEOPLE, EraseOut)
def erase_subscriber(request: HttpRequest, person: EraseIn) -> Any:
    """Erase a person for good."""
    found, _ = _found(request, person)
    if found.subscriber_id is None:
        raise missing("subscriber")
    erased = lookup_and_erase.erase_person(
        found.subscriber_id,
        now=db.now(),
        vault=wiring.vault(),
        forget=wiring.forget,
        actor=actor_of(request),
        never_again=person.never_again,
    )
    return {"erased": erased}


def _found(request: HttpRequest, person: PersonIn) -> tuple[FoundPerson, Person | None]:
    """Who has the address, and what is stored of them.

    Raises:
        HttpError: nothing is, not even a suppression.
    """
    vault = wiring.vault()
    found = or_refused(
        find_person(_address(person.address), person.reason, now=db.now(), vault=vault, actor=actor_of(request))
    )
    stored = None if found.subscriber_id is None else read_person(found.subscriber_id, vault=vault)
    if stored is None and found.suppressed is None:
        raise missing("subscriber")
    return found, stored


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except InvalidAddress as error:
        raise HttpError(422, str(error)) from error


def _choices(person: SubscriberIn) -> Choices:
    locale = locales.canonical(person.locale)
    if locale is None or not time_zones.is_place(person.timezone):
        raise HttpError(422, "locale is a language such as en or pt-BR, timezone a place such as Europe/Berlin")
    return Choices(
        topic_ids=tuple(person.topics),
        cadence=_CADENCES[person.cadence],
        mail_time=MailTime(person.timezone, person.hour, person.weekday),
        discreet=not person.headlines,
        locale=locale,
    )


def _publish() -> None:
    if not wiring.config().embedded:
        from newsletter.worker import tasks

        tasks.publish("notices")
