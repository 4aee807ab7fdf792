"""The frame around every page of the desk: navigation, who is signed in, the state of sending."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext

from newsletter import wiring
from newsletter.delivery.gates import sending_gate
from newsletter.lib.i18n import mark
from newsletter.models import Admin
from newsletter.status.in_need import in_need
from newsletter.web.desk.accounts.second_factor_adapter import passkeys_possible
from newsletter.web.desk.clock import shows_utc


@dataclass(frozen=True)
class Section:
    """An entry of the navigation. `url`: the name of its first page, which begins the names of the others."""

    url: str
    label: str
    owners_only: bool = False


SECTIONS = (
    Section("desk_home", mark("Home")),
    Section("desk_feeds", mark("Feeds")),
    Section("desk_topics", mark("Topics")),
    Section("desk_items", mark("Items")),
    Section("desk_mailings", mark("Mailings")),
    Section("desk_people", mark("People"), owners_only=True),
    Section("desk_sending", mark("Sending"), owners_only=True),
    Section("desk_audit", mark("Audit log")),
    Section("desk_settings", mark("Settings")),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of the templates under `/desk/`: `frame`. Nothing for other pages, which know no accounts."""
    if not request.path.startswith("/desk/"):
        return {}
    # the page that says that something is broken has no frame, and must not ask the database for one
    return {"frame": SimpleLazyObject(lambda: _frame(request))}


def _frame(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)  # a request for another host is refused before anybody is looked up
    admin = user if isinstance(user, Admin) else None
    environment = wiring.config().environment
    if admin is None:
        more = {"messages": _messages(request), "passkeys": passkeys_possible(request)}
        return {"admin": None, "environment": environment, "sections": [], **more}
    now = timezone.now()
    needed = in_need(now=now)
    numbers = {"desk_feeds": needed.feeds, "desk_mailings": needed.mails}
    return {
        "admin": admin,
        "environment": environment,
        "sections": [_shown(request, section, numbers.get(section.url, 0)) for section in _sections(admin)],
        "needs": needed.feeds + needed.mails,
        "paused_by": sending_gate.pause_reason(),
        "messages": _messages(request),
        "as_of": now,
        # what answers a form may not be there to look at
        "here": request.get_full_path() if request.method in ("GET", "HEAD") else "",
        "utc": shows_utc(request),
        "passkeys": passkeys_possible(request),
    }


def _messages(request: HttpRequest) -> list[Any]:
    """Sentences for this page. One that the script asks for again takes none away from the page that is opened next."""
    return [] if "X-Refresh" in request.headers else list(messages.get_messages(request))


def _sections(admin: Admin) -> list[Section]:
    return [section for section in SECTIONS if admin.is_owner or not section.owners_only]


def _shown(request: HttpRequest, section: Section, needs: int) -> dict[str, Any]:
    current = (request.resolver_match.url_name or "") if request.resolver_match else ""
    if current.startswith(("account_", "mfa_")):  # allauth's names
        current = "desk_settings"
    return {
        "url": section.url,
        "name": section.url.removeprefix("desk_"),
        "label": gettext(section.label),
        "current": current.startswith(section.url),
        "needs": needs,
    }
