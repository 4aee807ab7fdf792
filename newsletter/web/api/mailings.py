"""Mailings with their sums. Numbers of people who follow one topic are shielded, as on the pages of the desk."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import Field

from newsletter import wiring
from newsletter.delivery.mailings import hold as stops
from newsletter.delivery.mailings.hold import MailingPart, Stopped
from newsletter.delivery.mailings.mailing_list import MailingRow, mailing, mailing_page
from newsletter.delivery.mailings.shown import shown_count, shown_sums
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.web.api.operation import Scope, actor_of, operation
from newsletter.web.api.paging import After, ApiPage, Limit
from newsletter.web.api.problems import missing, or_refused
from newsletter.web.api.schema import ApiSchema, Id

router = Router(tags=["mailings"])


class MailingOut(ApiSchema):
    """A mailing. `sums`: how many mails are in each state, in words; without a number where it would say who follows a topic."""

    id: int = Field(examples=[31])
    key: str = Field(examples=["digest:daily:2026-11-24"])
    kind: str = Field(examples=["digest"])
    state: str = Field(examples=["going out"])
    created_at: datetime = Field(examples=["2026-11-24T07:00:00Z"])
    held_at: datetime | None = Field(examples=[None])
    planned: str = Field(examples=["2,300"])
    sums: dict[str, str] = Field(examples=[{"accepted": "2,180", "waiting": "120"}])


class StoppedOut(ApiSchema):
    """How many mails were changed, and how many had gone before; in words, shielded as the sums are."""

    changed: str = Field(examples=["812"])
    gone: str = Field(examples=["500"])


@operation(router, "GET", "/mailings", Scope.READ, ApiPage[MailingOut])
def list_mailings(
    request: HttpRequest,
    after: After = None,
    limit: Limit = 25,
    which: Annotated[Literal["", "open", "done", "failed"], Query(description="Only these.")] = "",
) -> Any:
    """List mailings, newest first."""
    page = mailing_page(after=after, which=which, size=limit)
    return {"rows": list(map(_out, page.rows)), "after": page.after}


@operation(router, "GET", "/mailings/{mailing_id}", Scope.READ, MailingOut)
def show_mailing(request: HttpRequest, mailing_id: Path[Id]) -> Any:
    """Show one mailing. Records are kept for 14 days."""
    row = mailing(mailing_id)
    if isinstance(row, Refused):
        raise missing("mailing")
    return _out(row)


@operation(router, "POST", "/mailings/{mailing_id}/hold", Scope.SENDING, StoppedOut)
def hold_mailing(request: HttpRequest, mailing_id: Path[Id]) -> Any:
    """Keep back what has not left of a mailing, until it is released."""
    return _change(request, mailing_id, stops.hold)


@operation(router, "POST", "/mailings/{mailing_id}/release", Scope.SENDING, StoppedOut)
def release_mailing(request: HttpRequest, mailing_id: Path[Id]) -> Any:
    """Let what was kept back of a mailing go."""
    return _change(request, mailing_id, stops.release)


@operation(router, "POST", "/mailings/{mailing_id}/skip", Scope.SENDING, StoppedOut)
def skip_mailing(request: HttpRequest, mailing_id: Path[Id]) -> Any:
    """Cancel what waits of a mailing. Its items count as given: nobody gets them with a later mail."""
    return _change(request, mailing_id, stops.skip)


def _change(request: HttpRequest, mailing_id: int, change: Callable[..., Stopped | Refused]) -> StoppedOut:
    row = mailing(mailing_id)
    if isinstance(row, Refused):
        raise missing("mailing")
    done = or_refused(change(MailingPart(mailing_id), actor=actor_of(request), now=db.now()))
    threshold = wiring.config().small_number
    shown = [shown_count(count, one_topic=row.one_topic, threshold=threshold) for count in (done.changed, done.gone)]
    return StoppedOut(changed=shown[0], gone=shown[1])


def _out(row: MailingRow) -> MailingOut:
    threshold = wiring.config().small_number
    sums = shown_sums(row.sums, one_topic=row.shields(threshold), threshold=threshold)
    return MailingOut(
        id=row.id,
        key=row.key,
        kind=row.kind,
        state=row.state.value,
        created_at=row.created_at,
        held_at=row.held_at,
        planned=sums.planned,
        sums={part.state: part.number for part in sums.states},
    )
