"""Who may open which page of the desk. Every route says so (`urls.py`), and this is the only place that checks it."""

import functools
from collections.abc import Callable
from enum import Enum
from typing import Any, cast

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone

from newsletter.audit import actor
from newsletter.models import Admin
from newsletter.web.desk import clock
from newsletter.web.desk.accounts.confirm_post import confirm_post
from newsletter.web.desk.accounts.sign_in_again import sign_in_again
from newsletter.web.desk.accounts.typed import typed_fields
from newsletter.web.desk.page import page

View = Callable[..., HttpResponse]
#: Styles and one script of ours; frames only for previews of mails, which have a policy of their own.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class Access(Enum):
    """Who may open a page."""

    #: Everybody, signed in or not.
    ANYBODY = "anybody"
    #: Every admin.
    EDITOR = "editor"
    #: Owners, and editors with the right to send messages.
    SENDER = "sender"
    OWNER = "owner"


def allows(access: Access, admin: Admin) -> bool:
    """Whether an admin who is signed in may open such a page."""
    if access is Access.OWNER:
        return admin.is_owner
    return admin.sends if access is Access.SENDER else True


def guarded(view: View, access: Access, *, recent: bool) -> View:
    """The view, for those who may open it; with `recent`, the password was asked for in the last 30 minutes."""

    def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if access is Access.ANYBODY:
            return view(request, *args, **kwargs)
        if not request.user.is_authenticated:
            asked = _who(request)
            if asked is not None:
                return asked
        admin = admin_of(request)
        with timezone.override(clock.zone(request, admin)):
            if not allows(access, admin):
                return page(request, "desk/forbidden.html.j2", {"access": access.value}, status=403)
            return (recent and _ask_again(request)) or _rendered(view(request, *args, **kwargs))

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = allowed(request, *args, **kwargs)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    answer.access, answer.recent = access, recent  # type: ignore[attr-defined]
    return answer


def _who(request: HttpRequest) -> HttpResponse | None:
    """Ask to sign in. None: that came along with a form, and it is done."""
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    if typed_fields(request):
        return sign_in_again(request)
    return redirect_to_login(reverse("desk_home"))


def _ask_again(request: HttpRequest) -> HttpResponse | None:
    """Ask for the password unless that was done in the last 30 minutes.

    Raises:
        ReauthenticationRequired: go to the page for it, and come back.
    """
    if not is_reauthentication_required(request, app="desk"):
        return None
    if request.method != "POST":
        raise ReauthenticationRequired
    return confirm_post(request)


def _rendered(response: HttpResponse) -> HttpResponse:
    """Render what allauth's views answer now, while the admin's time zone is active."""
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def admin_of(request: HttpRequest) -> Admin:
    """Who is signed in; behind `guarded` there is always somebody."""
    return cast(Admin, request.user)


def actor_of(request: HttpRequest) -> actor.Actor:
    """Who is signed in, for the audit log."""
    return actor.from_admin(admin_of(request))
