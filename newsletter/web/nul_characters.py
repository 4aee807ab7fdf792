"""NUL characters, which no browser sends from a form and PostgreSQL stores in no text."""

from collections.abc import Callable, Iterable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from newsletter.web import errors

_NUL = "\x00"


def no_nul_characters(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: an address or a form with one is refused as a whole. The API says where it stands in its own words."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/") and _has_one(request):
            return errors.bad_request(request, BadRequest())
        return get_response(request)

    return answer


def _has_one(request: HttpRequest) -> bool:
    typed = [request.path, *_texts(request.GET.lists())]
    # multipart is read only where a handler for its files was set
    if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
        typed += _texts(request.POST.lists())
    return any(_NUL in text for text in typed)


def _texts(fields: Iterable[tuple[str, list[str]]]) -> list[str]:
    return [text for name, values in fields for text in (name, *values)]
