"""NUL characters, which no browser sends from a form and PostgreSQL stores in no text."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from newsletter.web import errors

_NUL = "\x00"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class NoNulCharacters:
    """Middleware: under `/desk/`, an address or a form with one is refused as a whole; a cookie everywhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if any(_NUL in value for value in request.COOKIES.values()):  # "\000" in quotes becomes one
            return errors.bad_request(request, BadRequest())
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Refuse before the view. A view that is exempt from the check of forms reads its own, after a handler is set."""
        if not request.path.startswith("/desk/"):  # public forms say so beside their field, the API in its own words
            return None
        typed = [request.path, *_texts(request.GET.lists())]
        if request.method == "POST" and request.content_type in _FORMS and not getattr(view, "csrf_exempt", False):
            typed += _texts(request.POST.lists())
        return errors.bad_request(request, BadRequest()) if any(_NUL in text for text in typed) else None


def _texts(fields: Iterable[tuple[str, list[str]]]) -> list[str]:
    return [text for name, values in fields for text in (name, *values)]
