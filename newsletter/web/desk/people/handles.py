"""A person who was found stays open for 15 minutes, under a random handle of this session. No address is kept anywhere."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from newsletter.subscribers.person.find import FoundPerson

#: After this long the address has to be typed again.
OPEN_FOR = timedelta(minutes=15)
_KEY = "open_people"
#: So many at once; the oldest is closed.
_MOST = 10


@dataclass(frozen=True)
class OpenPerson:
    """What a handle stands for: a number, or nobody (then perhaps why the address that was typed is not mailed)."""

    subscriber_id: int | None
    suppressed: str | None
    until: datetime


def open_person(request: HttpRequest, found: FoundPerson, *, now: datetime) -> str:
    """Keep who was found in the session; returns the handle."""
    handle = secrets.token_urlsafe(16)
    until = (now + OPEN_FOR).isoformat()
    kept = {**_kept(request, now), handle: [found.subscriber_id, found.suppressed, until]}
    request.session[_KEY] = dict(list(kept.items())[-_MOST:])
    return handle


def read_handle(request: HttpRequest, handle: str, *, now: datetime) -> OpenPerson | None:
    """Who is open under this handle. Returns None once the time is over, in another session, and for a made-up one."""
    entry = _kept(request, now).get(handle)
    return OpenPerson(entry[0], entry[1], datetime.fromisoformat(entry[2])) if entry else None


def close_person(request: HttpRequest, subscriber_id: int, *, now: datetime) -> None:
    """Forget all handles of somebody who is gone."""
    kept = _kept(request, now)
    request.session[_KEY] = {handle: entry for handle, entry in kept.items() if entry[0] != subscriber_id}


def _kept(request: HttpRequest, now: datetime) -> dict[str, list[Any]]:
    """Those whose time is not over."""
    entries: dict[str, list[Any]] = request.session.get(_KEY, {})
    return {handle: entry for handle, entry in entries.items() if datetime.fromisoformat(entry[2]) > now}
