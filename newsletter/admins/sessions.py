"""The sessions of admins: which there are, how long they last, and their end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

#: A session ends when nobody used it for so long,
IDLE: Final = timedelta(minutes=30)
#: and in any case so long after somebody signed in.
LONGEST: Final = timedelta(hours=12)
#: The last use is written so often at most.
_WRITTEN: Final = timedelta(minutes=1)


class State(Enum):
    """What `use` found."""

    OPEN = "open"
    #: It has ended: whoever comes with it signs in again.
    OVER = "over"
    #: It is not in the list of sessions yet.
    UNLISTED = "unlisted"


@dataclass(frozen=True)
class AdminSession:
    """A session as its admin sees it. `client`: address it was opened from; `agent`: what the browser calls itself."""

    id: int
    client: str
    agent: str
    opened_at: datetime
    last_seen_at: datetime
    is_current: bool


def use(key: str, *, now: datetime, counts: bool = True) -> State:
    """Note that a session is used, unless it is over; with `counts=False` only look."""
    row = UserSession.objects.filter(session_key=key).values_list("id", "created_at", "last_seen_at").first()
    if row is None:
        return State.UNLISTED
    row_id, created_at, last_seen_at = row
    if now - last_seen_at > IDLE or now - created_at > LONGEST:
        _end([key])
        return State.OVER
    if counts and now - last_seen_at >= _WRITTEN:
        UserSession.objects.filter(id=row_id).update(last_seen_at=now)
    return State.OPEN


def list_open(admin_id: int, *, current: str, now: datetime) -> list[AdminSession]:
    """Return an admin's open sessions, the one with the key `current` first, then by last use."""
    rows = UserSession.objects.filter(user_id=admin_id, last_seen_at__gte=now - IDLE, created_at__gte=now - LONGEST)
    alive = set(Session.objects.filter(session_key__in=[row.session_key for row in rows]).values_list("pk", flat=True))
    shown = [
        AdminSession(row.id, row.ip, row.user_agent, row.created_at, row.last_seen_at, row.session_key == current)
        for row in rows
        if row.session_key in alive
    ]
    return sorted(shown, key=lambda one: (not one.is_current, -one.last_seen_at.timestamp()))


def end_one(admin_id: int, session_id: int) -> bool:
    """End one session of an admin. Returns False if there is no such session of theirs."""
    found = UserSession.objects.filter(user_id=admin_id, id=session_id)
    return _end(list(found.values_list("session_key", flat=True))) == 1


def end_all(admin_id: int, *, keep: str = "") -> int:
    """End an admin's sessions at once, but for that with the key `keep`. Returns how many there were."""
    found = UserSession.objects.filter(user_id=admin_id).exclude(session_key=keep)
    return _end(list(found.values_list("session_key", flat=True)))


def _end(keys: list[str]) -> int:
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)
