"""Addresses that are not mailed: listed by an id that leads to nobody, added and lifted by address."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from ninja.errors import HttpError
from pydantic import Field

from newsletter import wiring
from newsletter.delivery.feedback import suppression_list
from newsletter.lib import db
from newsletter.subscribers.email_address import InvalidAddress, index_of, parse_address
from newsletter.web.api.operation import Scope, actor_of, operation
from newsletter.web.api.paging import Limit
from newsletter.web.api.problems import or_refused
from newsletter.web.api.schema import ApiSchema
from newsletter.web.api.subscribers import AddressIn

router = Router(tags=["suppressions"])


class SuppressionOut(ApiSchema):
    """A suppression. `id` is a part of a keyed hash: it identifies the row, and leads to no address."""

    id: str = Field(examples=["3f9c2a7be1d04c55"])
    reason: str = Field(examples=["bounce"])
    since: datetime = Field(examples=["2026-11-24T09:00:00Z"])
    provider: str = Field(examples=["sendgrid"])
    sticky: bool = Field(examples=[False])
    lifted_at: datetime | None = Field(examples=[None])


class SuppressionPage(ApiSchema):
    """Some suppressions, newest first. `after`: ask with it for the next page; null: this is the last one."""

    rows: list[SuppressionOut]
    after: str | None = Field(examples=[None])


class SuppressedAddress(ApiSchema):
    """The address."""

    address: AddressIn


class SuppressOut(ApiSchema):
    """`added` is false if the address was suppressed already."""

    id: str = Field(examples=["3f9c2a7be1d04c55"])
    added: bool = Field(examples=[True])


class LiftOut(ApiSchema):
    """The address may be mailed again; `reason` is why it was not."""

    reason: str = Field(examples=["bounce"])


@operation(router, "GET", "/suppressions", Scope.PEOPLE, SuppressionPage)
def list_suppressions(
    request: HttpRequest,
    after: Annotated[str | None, Query(pattern="^[0-9a-f]{16}$", description="The `after` of the page before.")] = None,
    limit: Limit = 25,
) -> Any:
    """List suppressions in force, newest first."""
    rows = suppression_list.list_suppressions(limit=limit + 1, after=after)
    shown = [
        SuppressionOut(**{name: getattr(row, name) for name in SuppressionOut.model_fields}) for row in rows[:limit]
    ]
    return {"rows": shown, "after": shown[-1].id if len(rows) > limit else None}


@operation(router, "POST", "/suppressions", Scope.PEOPLE, SuppressOut, status=201)
def add_suppression(request: HttpRequest, person: SuppressedAddress) -> Any:
    """Never mail this address, until the person confirms again or it is lifted."""
    index = _index(person.address)
    added = suppression_list.add(index, now=db.now(), actor=actor_of(request))
    return Status(201, {"id": suppression_list.short_id(index), "added": added})


@operation(router, "POST", "/suppressions/lift", Scope.PEOPLE, LiftOut)
def lift_suppression(request: HttpRequest, person: SuppressedAddress) -> Any:
    """Allow mail to an address again. Complaints and erasure stay for good."""
    lifted = or_refused(suppression_list.lift(_index(person.address), now=db.now(), actor=actor_of(request)))
    return {"reason": lifted.reason}


def _index(address: str) -> bytes:
    try:
        return index_of(parse_address(address), wiring.vault())
    except InvalidAddress as error:
        raise HttpError(422, str(error)) from error
