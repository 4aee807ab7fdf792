"""`Idempotency-Key`: the same request with the same key is carried out once, and answered as before."""

import base64
import functools
import re
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from ninja.errors import HttpError

from newsletter import wiring
from newsletter.admins import keyed_answers
from newsletter.admins.keyed_answers import FirstRequest, RepeatedRequest
from newsletter.lib import db
from newsletter.models import ApiToken
from newsletter.web.api.problems import or_refused

_KEY: Final = re.compile(r"[!-~]{1,200}")


def token_of(request: HttpRequest) -> ApiToken:
    """The token of a request."""
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return token


def only_once(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, which a repeated request does not reach."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            raise HttpError(422, "an Idempotency-Key is 1 to 200 printable ASCII characters without spaces")
        begun = or_refused(keyed_answers.begin(token_of(request), key, _hashed(request), now=db.now()))
        if isinstance(begun, RepeatedRequest):
            return HttpResponse(
                begun.body,
                status=begun.status,
                content_type="application/json; charset=utf-8",
                headers={"Idempotent-Replayed": "true"},
            )
        request.keyed = begun  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return answer


def _hashed(request: HttpRequest) -> bytes:
    """A request, by a hash with our key: its body may be little more than an address, which a plain hash would let guess."""
    body = base64.b64encode(request.body).decode()
    return wiring.vault().blind_index("request", f"{request.method} {request.path}\n{body}")


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Keep the answer of a request that took a key; where nothing was done, the key can be used again."""
    begun: FirstRequest | None = getattr(request, "keyed", None)
    if begun is None:
        return
    if response.status_code < 300:
        keyed_answers.keep(begun, response.status_code, response.content.decode())
    elif response.status_code < 500:
        keyed_answers.forget(begun)
