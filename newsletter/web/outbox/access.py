"""Who may read the outbox: somebody at this machine, and nobody else.

The page shows addresses, so it exists only while nothing suggests that another machine could reach it. A proxy on this machine
makes every visitor look local; that is why any sign of one closes the page: a forwarding header, or HTTP/1.0, which nginx speaks
to us where its configuration says nothing of headers and versions, and no browser does.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse

from newsletter import wiring
from newsletter.lib.loopback import is_loopback
from newsletter.web.client_address import FORWARDING_HEADERS

P = ParamSpec("P")
#: Written by proxies and content networks beside the usual ones.
_MORE_FORWARDING_HEADERS = frozenset(
    {"HTTP_X_CLIENT_IP", "HTTP_TRUE_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_CDN_LOOP", "HTTP_X_ORIGINAL_HOST"}
)


def local_only(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 404 unless `is_open`."""

    @wraps(view)
    def answer(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not is_open(request):
            raise Http404
        return view(request, *args, **kwargs)

    return answer


def is_open(request: HttpRequest) -> bool:
    """Whether mail goes to files, and this request was made on this machine, past no proxy.

    The settings, the peer and the request's Host must all be loopback. The Host is checked because a page elsewhere could
    point a name of its own at 127.0.0.1 and read the answer (DNS rebinding).
    """
    return (
        wiring.config().carries("outbox")
        and wiring.config().local_only
        and is_loopback(str(request.META.get("REMOTE_ADDR", "")))
        and is_loopback(urlsplit(f"//{request.META.get('HTTP_HOST', '')}").hostname or "")
        and request.META.get("SERVER_PROTOCOL") != "HTTP/1.0"
        and not any(_forwards(name) for name in request.META)
    )


def _forwards(name: str) -> bool:
    return name.startswith("HTTP_X_FORWARDED") or name in FORWARDING_HEADERS or name in _MORE_FORWARDING_HEADERS
