"""Whether the desk is there at all: NEWSLETTER_DESK removes it from a process, NEWSLETTER_DESK_ALLOW keeps it to networks."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from newsletter import wiring
from newsletter.web import errors
from newsletter.web.client_address import client_address

_PLACES = ("/desk/", "/api/")


def gate(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: for those who may not see the desk, its addresses answer as any other that does not exist."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_PLACES) and not _is_open(request):
            return errors.not_found(request, Http404())
        return get_response(request)

    return answer


def _is_open(request: HttpRequest) -> bool:
    config = wiring.config()
    if not config.desk or not config.desk_allow:
        return config.desk
    client = client_address(request)
    return client is not None and any(client in network for network in config.desk_allow)
