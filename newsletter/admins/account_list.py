"""All accounts of the desk, as lists show them."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import is_password_usable
from django.db.models import Max

from newsletter.models import Admin


@dataclass(frozen=True)
class Account:
    """An admin. `state` is active, invited (a link waits), without password (its link is too old) or disabled."""

    id: int
    name: str
    role: str
    #: Whether they may send messages, as an owner or by right.
    may_send: bool
    state: str
    #: Kinds of second factor: totp, webauthn.
    second_factors: tuple[str, ...]
    last_seen: datetime | None
    created_at: datetime


def list_accounts(*, now: datetime) -> list[Account]:
    """Return all accounts: disabled ones last, otherwise by name."""
    factors: dict[int, set[str]] = {}
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    for admin_id, kind in Authenticator.objects.filter(type__in=kinds).values_list("user_id", "type"):
        factors.setdefault(admin_id, set()).add(kind)
    seen = dict(
        UserSession.objects.values("user_id").annotate(at=Max("last_seen_at")).values_list("user_id", "at").order_by()
    )
    rows = [
        Account(
            id=admin.id,
            name=admin.username,
            role=admin.role,
            may_send=admin.sends,
            state=_state(admin, now),
            second_factors=tuple(sorted(factors.get(admin.id, ()))),
            last_seen=max(filter(None, (seen.get(admin.id), admin.last_login)), default=None),
            created_at=admin.created_at,
        )
        for admin in Admin.objects.all()
    ]
    return sorted(rows, key=lambda row: (row.state == "disabled", row.name.lower()))


def _state(admin: Admin, now: datetime) -> str:
    if not admin.is_active:
        return "disabled"
    if is_password_usable(admin.password):
        return "active"
    waits = admin.link_expires_at is not None and admin.link_expires_at > now
    return "invited" if waits else "without password"
