"""The API as a whole: its resources, its errors, and its description (OpenAPI)."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.log import log_response
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from newsletter.web.api import (
    deliveries,
    feeds,
    health,
    items,
    mailings,
    sending,
    subscribers,
    suppressions,
    topics,
)
from newsletter.web.api.problems import MEDIA_TYPE, RefusedRequest, problem

_DESCRIPTION = """Feeds, topics, items, mailings and subscribers, for programs.

Send a token with each request: `Authorization: Bearer nl_…`. An owner makes it under Settings, or by
`newsletter tokens create`. Each operation needs one scope. Errors are problem details (RFC 9457). Lists come in pages:
ask with the `after` of one page for the next."""


class DeskApi(NinjaAPI):
    """NinjaAPI whose errors are described as what they are: `application/problem+json`."""

    def get_openapi_schema(self, *args: Any, **options: Any) -> Any:
        """The description of the API."""
        schema = super().get_openapi_schema(*args, **options)
        for methods in schema["paths"].values():
            for operation in methods.values():
                for status, answer in operation["responses"].items():
                    content = answer.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        content[MEDIA_TYPE] = content.pop("application/json")
        return schema


def build() -> DeskApi:
    """The API with all its resources."""
    made = DeskApi(
        title="Newsletter",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        openapi_url="/openapi.json",
        urls_namespace="api",
    )
    for resource in (feeds, topics, items, mailings, deliveries, sending, subscribers, suppressions, health):
        made.add_router("", resource.router)
    made.add_exception_handler(HttpError, _http_error)
    made.add_exception_handler(ValidationError, _invalid)
    made.add_exception_handler(RefusedRequest, lambda request, refused: problem(409, str(refused)))
    made.add_exception_handler(RequestDataTooBig, lambda request, error: problem(413, "the request is too large"))
    made.add_exception_handler(Http404, lambda request, error: problem(404, "there is no such thing"))
    made.add_exception_handler(Exception, _fault)
    return made


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    headers = {}
    if isinstance(error, AuthenticationError):
        return problem(401, "send a valid token: Authorization: Bearer nl_…", headers={"WWW-Authenticate": "Bearer"})
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(error.wait)
        return problem(429, "this token made too many requests in this minute", headers=headers)
    return problem(error.status_code, str(error))


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    """What is wrong, and where; never the value, which may be an address."""
    fields = [
        {"where": ".".join(str(part) for part in each["loc"]), "detail": str(each["msg"])} for each in error.errors
    ]
    return problem(422, "some values are not as they should be", errors=fields)


def _fault(request: HttpRequest, error: Any) -> HttpResponse:
    """A fault of ours: logged as Django does."""
    got_request_exception.send(sender=None, request=request)
    answer = problem(500, "a fault of the service: try again later")
    log_response("%s: %s", "Internal Server Error", request.path, response=answer, request=request, exception=error)
    return answer
