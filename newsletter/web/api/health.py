"""How the service is, in a few figures."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from newsletter.status.attention import read_attention
from newsletter.status.problems import problems
from newsletter.web.api.operation import Scope, operation
from newsletter.web.api.schema import ApiSchema

router = Router(tags=["health"])


class ProblemOut(ApiSchema):
    """Something that needs somebody."""

    kind: str = Field(examples=["feeds"])
    text: str = Field(examples=["1 feed needs somebody"])
    since: datetime | None = Field(examples=[None])
    advice: str = Field(examples=[""])


class HealthOut(ApiSchema):
    """Whether somebody must look. `mails`: how many are in each state."""

    running: bool = Field(examples=[True])
    sending_paused_by: str | None = Field(examples=[None])
    last_look_at: datetime | None = Field(examples=["2026-11-24T09:00:00Z"])
    feeds: dict[str, int] = Field(examples=[{"fine": 8, "failing": 1}])
    mails: dict[str, int] = Field(examples=[{"accepted": 8190, "unknown": 5}])
    problems: list[ProblemOut]


@operation(router, "GET", "/health", Scope.READ, HealthOut)
def show_health(request: HttpRequest) -> Any:
    """Show whether the service runs, and what needs somebody, the worst first."""
    found = read_attention()
    return HealthOut(
        running=found.running,
        sending_paused_by=found.sending_paused_by,
        last_look_at=found.last_look_at,
        feeds=dict(found.feeds.counts),
        mails=dict(found.mails),
        problems=[
            ProblemOut(
                kind=str(each.kind.value),
                text=each.worded(lambda moment: moment.isoformat()),
                since=each.since,
                advice=each.advice,
            )
            for each in problems(found)
        ],
    )
