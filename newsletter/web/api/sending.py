"""Sending: the gate over all mail and the providers; pause and resume."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from newsletter import delivery_wiring, wiring
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.gates.resume_sending import resume_sending
from newsletter.delivery.ledger.waiting import waiting_mails
from newsletter.delivery.routing.provider_status import provider_statuses
from newsletter.lib import db
from newsletter.web.api.operation import Scope, actor_of, operation
from newsletter.web.api.problems import or_refused
from newsletter.web.api.schema import ApiSchema, Text

router = Router(tags=["sending"])


class ProviderOut(ApiSchema):
    """A provider."""

    provider: str = Field(examples=["sendgrid"])
    open: bool = Field(examples=[True])
    paused_by: str | None = Field(examples=[None])
    out_since: datetime | None = Field(examples=[None])
    out_why: str | None = Field(examples=[None])
    planned: int = Field(examples=[0])


class SendingOut(ApiSchema):
    """Whether mail leaves, and how many mails wait."""

    open: bool = Field(examples=[True])
    paused_by: str | None = Field(examples=[None])
    waiting: int = Field(examples=[812])
    providers: list[ProviderOut]


class PauseIn(ApiSchema):
    """Why sending is paused: shown to all admins, and kept in the audit log. It names nobody."""

    why: Text = Field(min_length=1, examples=["wrong postal address in the footer"])


@operation(router, "GET", "/sending", Scope.READ, SendingOut)
def show_sending(request: HttpRequest) -> Any:
    """Show whether mail leaves, and the providers."""
    return _sending()


@operation(router, "POST", "/sending/pause", Scope.SENDING, SendingOut)
def pause_sending(request: HttpRequest, pause: PauseIn) -> Any:
    """Stop sending all mail. Nothing is lost meanwhile."""
    or_refused(sending_gate.pause(pause.why, now=db.now(), actor=actor_of(request)))
    return _sending()


@operation(router, "POST", "/sending/resume", Scope.SENDING, SendingOut)
def resume_all_sending(request: HttpRequest) -> Any:
    """Resume sending. All mail that waits goes out."""
    or_refused(resume_sending(delivery_wiring.host_guard(), now=db.now(), actor=actor_of(request)))
    return _sending()


def _sending() -> SendingOut:
    why = sending_gate.pause_reason()
    configured = [carrier.number for carrier in wiring.config().providers]
    rows = provider_statuses(configured, now=db.now())
    providers = [ProviderOut(**{name: getattr(row, name) for name in ProviderOut.model_fields}) for row in rows]
    return SendingOut(open=why is None, paused_by=why, waiting=waiting_mails(), providers=providers)
