"""Errors of the API: problem details (RFC 9457), for every one of them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja.errors import HttpError
from pydantic import Field

from newsletter.lib.refused import Refused
from newsletter.web.api.schema import ApiSchema

MEDIA_TYPE: Final = "application/problem+json"
T = TypeVar("T")


class InvalidField(ApiSchema):
    """One value that is not as it should be. The value itself is not repeated."""

    where: str = Field(examples=["body.name"])
    detail: str = Field(examples=["Field required"])


class ErrorDetails(ApiSchema):
    """What went wrong."""

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no such topic"])
    #: Only with status 422.
    errors: list[InvalidField] | None = Field(None, examples=[None])


class RefusedRequest(Exception):
    """An entry point refused; its reason is the detail of the answer."""


def or_refused(answer: T | Refused) -> T:
    """The answer of an entry point.

    Raises:
        RefusedRequest: it is a refusal; the API answers 409 with its reason.
    """
    if isinstance(answer, Refused):
        raise RefusedRequest(answer.reason)
    return answer


def missing(what: str) -> HttpError:
    """The error to raise if there is no such thing."""
    return HttpError(404, f"there is no such {what}")


def problem(
    status: int,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer for an error."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors is not None:
        document["errors"] = list(errors)
    return JsonResponse(document, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def not_found(request: HttpRequest, path: str = "") -> HttpResponse:
    """No such address."""
    return problem(404, "there is no such address: /api/v1/openapi.json lists all of them")
