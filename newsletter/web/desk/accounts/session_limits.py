"""Ends sessions on the desk that were idle, or open for too long. Other pages have no session."""

from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from newsletter.admins import sessions
from newsletter.lib import clock


def session_limits(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whoever's session is over is signed out before a page is made."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/desk/") and request.user.is_authenticated:
            _check(request)
        return get_response(request)

    return answer


def _check(request: HttpRequest) -> None:
    state = sessions.use(request.session.session_key or "", now=clock.utcnow(), counts=_is_by_hand(request))
    if state is sessions.State.UNLISTED:
        UserSession.objects.create_from_request(request)
    elif state is sessions.State.OVER:
        logout(request)


def _is_by_hand(request: HttpRequest) -> bool:
    """Whether somebody asked for this page; numbers that refresh by themselves keep no session alive."""
    return "X-Refresh" not in request.headers and request.headers.get("Sec-Fetch-Dest") != "empty"
