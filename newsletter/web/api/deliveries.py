"""One mail by the reference at its foot: what happened to it, never whose it is."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Router
from pydantic import Field

from newsletter import wiring
from newsletter.delivery.ledger import resend
from newsletter.delivery.ledger.resend import OperatorNote
from newsletter.delivery.mailings.delivery_story import DeliveryStory, explain
from newsletter.lib import db
from newsletter.web.api.operation import Scope, actor_of, operation
from newsletter.web.api.problems import missing, or_refused
from newsletter.web.api.schema import ApiSchema, Text

router = Router(tags=["deliveries"])

Reference = Path[Annotated[Text, Field(min_length=1, max_length=20, examples=["7K3F-09QA-M2"])]]


class DeliveryStep(ApiSchema):
    """Something that happened to a mail."""

    at: datetime = Field(examples=["2026-11-24T07:00:02Z"])
    what: str = Field(examples=["accepted"])
    detail: str = Field(examples=["sendgrid"])


class DeliveryItemOut(ApiSchema):
    """An item of a mail, and the topics for which it is in it; null for a keyword of the subscriber's own."""

    item_id: int = Field(examples=[12])
    title: str = Field(examples=["A hearing on forced labour"])
    topics: list[str | None] = Field(examples=[["Uyghur"]])


class DeliveryOut(ApiSchema):
    """The story of one mail."""

    reference: str = Field(examples=["7K3F-09QA-M2"])
    mailing: str = Field(examples=["digest:daily:2026-11-24"])
    state: str = Field(examples=["accepted"])
    reason: str | None = Field(examples=[None])
    planned_at: datetime = Field(examples=["2026-11-24T07:00:00Z"])
    steps: list[DeliveryStep]


class DecisionIn(ApiSchema):
    """Why this is decided. It is kept in the audit log, and names nobody."""

    why: Text = Field(min_length=1, examples=["the relay's log shows that it left"])


class ResolveIn(DecisionIn):
    """What became of a mail."""

    state: Literal["accepted", "failed"] = Field(examples=["accepted"])


@operation(router, "GET", "/deliveries/{reference}", Scope.READ, DeliveryOut)
def show_delivery(request: HttpRequest, reference: Reference) -> Any:
    """Show what happened to the mail with this reference at its foot. Records are kept for 14 days."""
    return _delivery(reference)


@operation(router, "GET", "/deliveries/{reference}/items", Scope.PEOPLE, list[DeliveryItemOut])
def list_delivery_items(request: HttpRequest, reference: Reference) -> Any:
    """List what was in this mail, and why: a person's secret, even without a name, so it needs the scope `people`."""
    return [
        DeliveryItemOut(item_id=item.item_id, title=item.title, topics=[topic.name for topic in item.topics])
        for item in _story(reference).items
    ]


@operation(router, "POST", "/deliveries/{reference}/retry", Scope.SENDING, DeliveryOut)
def retry_delivery(request: HttpRequest, reference: Reference, decision: DecisionIn) -> Any:
    """Send an unknown or parked mail once more. If it was accepted the first time, it arrives twice."""
    _delivery(reference)
    note, actor = OperatorNote(actor_of(request).name, decision.why), actor_of(request)
    or_refused(resend.retry(reference, note, now=db.now(), vault=wiring.vault(), actor=actor))
    return _delivery(reference)


@operation(router, "POST", "/deliveries/{reference}/resolve", Scope.SENDING, DeliveryOut)
def resolve_delivery(request: HttpRequest, reference: Reference, decision: ResolveIn) -> Any:
    """Record what became of an unknown mail, or close a parked one. Nothing is sent."""
    _delivery(reference)
    note, actor, accepted = OperatorNote(actor_of(request).name, decision.why), actor_of(request), decision.state
    vault = wiring.vault()
    or_refused(resend.resolve(reference, accepted == "accepted", note, now=db.now(), vault=vault, actor=actor))
    return _delivery(reference)


def _story(reference: str) -> DeliveryStory:
    story = explain(reference, wiring.vault())
    if story is None:
        raise missing("reference")
    return story


def _delivery(reference: str) -> DeliveryOut:
    story = _story(reference)
    return DeliveryOut(
        reference=story.reference,
        mailing=story.occasion,
        state=story.state,
        reason=story.reason,
        planned_at=story.planned_at,
        steps=[DeliveryStep(at=step.at, what=step.what, detail=step.detail) for step in story.steps],
    )
