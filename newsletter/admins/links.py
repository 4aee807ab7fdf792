"""One-time links: whoever opens one chooses the password of an account. Only a hash of the token is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q

from newsletter.admins import sessions
from newsletter.audit import actor
from newsletter.audit.record import Thing, record
from newsletter.lib.refused import Refused
from newsletter.models import Admin

#: How long a link can be used.
LIFETIME: Final = timedelta(hours=24)
EXPIRED: Final = Refused("this link was used already, or is older than 24 hours: ask an owner for a new one")


@dataclass(frozen=True)
class AccountLink:
    """A link that was just made; the token is stored nowhere else, so it is shown once and never logged."""

    admin_id: int
    name: str
    role: str
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"AccountLink(admin_id={self.admin_id}, ***)"


def make(admin: Admin, *, now: datetime) -> AccountLink:
    """Give an account a new link; one made before can be used no longer. Call it in a transaction."""
    token = secrets.token_urlsafe(16)
    admin.link_hash, admin.link_expires_at = _hash(token), now + LIFETIME
    admin.save(update_fields=["link_hash", "link_expires_at"])
    return AccountLink(admin.id, admin.username, admin.role, token, admin.link_expires_at)


def find(token: str, *, now: datetime) -> Admin | None:
    """Return whose link it is, or None if it cannot be used (any more)."""
    return Admin.objects.filter(_usable(token, now)).first()


@transaction.atomic
def use(token: str, password: str, *, now: datetime) -> Admin | Refused:
    """Set the password of the account whose link it is, and end its sessions. A link works once."""
    admin = find(token, now=now)
    if admin is None or not _take(token, make_password(password), now):
        return EXPIRED
    sessions.end_all(admin.id)
    record(actor.from_admin(admin), "admin.password", Thing("admin", admin.id, admin.username), now=now)
    return Admin.objects.get(id=admin.id)


def _take(token: str, encoded: str, now: datetime) -> bool:
    """Compare and set: of two who use a link at once, one gets it."""
    changed = Admin.objects.filter(_usable(token, now)).update(password=encoded, link_hash=None, link_expires_at=None)
    return changed == 1


def _usable(token: str, now: datetime) -> Q:
    return Q(link_hash=_hash(token), link_expires_at__gt=now, is_active=True)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
