"""The sessions of admins: which there are, and their end."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session


def end_all(admin_id: int, *, keep: str = "") -> int:
    """End an admin's sessions at once, but for that with the key `keep`. Returns how many there were."""
    found = UserSession.objects.filter(user_id=admin_id).exclude(session_key=keep)
    return _end(list(found.values_list("session_key", flat=True)))


def _end(keys: list[str]) -> int:
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)
