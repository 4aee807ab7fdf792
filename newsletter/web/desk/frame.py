"""The frame around every page of the desk: navigation, who is signed in, the state of sending."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from newsletter.delivery.gates import sending_gate
from newsletter.lib.i18n import mark
from newsletter.models import Admin


@dataclass(frozen=True)
class Section:
    """An entry of the navigation. `url`: the name of its first page, which begins the names of the others."""

    url: str
    label: str
    owners_only: bool = False


SECTIONS = (Section("desk_home", mark("Home")),)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of the templates under `/desk/`: `frame`. Nothing for other pages, which know no accounts."""
    if not request.path.startswith("/desk/"):
        return {}
    user = getattr(request, "user", None)  # a request for another host is refused before anybody is looked up
    admin = user if isinstance(user, Admin) else None
    return {
        "frame": {
            "admin": admin,
            "sections": _sections(request, admin) if admin else [],
            "paused_by": sending_gate.pause_reason() if admin else None,
            "messages": list(messages.get_messages(request)),
            "as_of": timezone.now(),
        }
    }


def _sections(request: HttpRequest, admin: Admin) -> list[dict[str, Any]]:
    current = (request.resolver_match.url_name or "") if request.resolver_match else ""
    return [
        {"url": section.url, "label": gettext(section.label), "current": current.startswith(section.url)}
        for section in SECTIONS
        if admin.is_owner or not section.owners_only
    ]
