"""What a browser answers for a passkey. allauth takes what a program made of it; anybody can send anything instead."""

import functools
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

_FIELD = "credential"


def readable_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view of a form for passkeys; to it, an answer that cannot be read is none at all."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and _FIELD in request.POST and not _is_readable(request.POST[_FIELD]):
            typed = request.POST.copy()
            typed[_FIELD] = ""
            request.POST = typed  # type: ignore[assignment]
        return view(request, *args, **kwargs)

    return answer


def _is_readable(text: str) -> bool:
    try:
        credential = json.loads(text)
        made = "attestationObject" in credential["response"]
        (RegistrationResponse if made else AuthenticationResponse).from_dict(credential)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return True
