"""An operation of the API: it cannot be written without saying which scope a token needs for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.http import HttpRequest
from ninja import Router
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, Throttled
from ninja.security import HttpBearer

from newsletter.admins import tokens
from newsletter.audit import actor
from newsletter.audit.actor import Actor
from newsletter.lib import db
from newsletter.models import ApiToken
from newsletter.web.api.once import only_once, token_of
from newsletter.web.api.problems import ErrorDetails

Scope = ApiToken.Scope
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "Any word of yours: the same request with the same word is carried out once within 24 hours.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}
View = TypeVar("View", bound=Callable[..., Any])


class BearerToken(HttpBearer):
    """A token with one scope, sent as `Authorization: Bearer nl_…`."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        """The token of a request.

        Raises:
            AuthenticationError: there is none that is valid.
            AuthorizationError: it has another scope.
            Throttled: it made too many requests in this minute.
        """
        now = db.now()
        found = tokens.find(token, now=now)
        if found is None:
            raise AuthenticationError
        use = tokens.count_use(found, now=now)
        if use.retry_after:
            raise Throttled(wait=use.retry_after)
        if self.scope not in found.scopes:
            raise AuthorizationError(message=f"this token does not have the scope {self.scope}")
        return found


def operation(
    router: Router, method: str, path: str, scope: str, answer: Any, *, status: int = 200, once: bool | None = None
) -> Callable[[View], View]:
    """Add a view to a router, for tokens with `scope`, with all its answers in the description of the API.

    `once`: an `Idempotency-Key` keeps a repeated request from being carried out again; by default for every POST.
    """
    codes = [401, 403, 422, 429]
    if method != "GET":
        codes += [400, 409, 413]
    if "{" in path:
        codes.append(404)
    answers: dict[int, Any] = {status: answer, **dict.fromkeys(sorted(codes), ErrorDetails)}

    def add(view: View) -> View:
        keyed = method == "POST" if once is None else once
        summary = (view.__doc__ or "").partition("\n")[0].rstrip(".")
        router.api_operation(
            [method],
            path,
            auth=BearerToken(scope),
            response=answers,
            summary=summary,
            description=f"{(view.__doc__ or '').strip()}\n\nScope: `{scope}`.",
            operation_id=view.__name__,
            openapi_extra={"x-scope": str(scope), **({"parameters": [_KEY]} if keyed else {})},
        )(only_once(view) if keyed else view)
        return view

    return add


def actor_of(request: HttpRequest) -> Actor:
    """The token of a request, for the audit log."""
    return actor.from_token(token_of(request).name)


def utc(moment: datetime | None) -> datetime | None:
    """The moment in UTC; one without a zone counts as UTC.

    Raises:
        HttpError: it is outside the years that there are, in UTC.
    """
    if moment is None:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise HttpError(422, "a moment is too far away") from error
