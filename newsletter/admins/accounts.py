"""Accounts of the desk: create, invite, disable, enable, reset, and the rights they have."""

import re
from datetime import datetime
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from newsletter.admins import links, sessions
from newsletter.admins.links import AccountLink
from newsletter.audit.actor import Actor, from_admin
from newsletter.audit.record import Thing, record
from newsletter.lib.refused import Refused
from newsletter.models import Admin

#: What a name may be: never an address, for names stand in the audit log.
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9])?")
_BAD_NAME: Final = Refused(
    "a name is up to 40 letters, digits, dots, hyphens and underscores, such as 'maria' or 'j.doe'; it is not an address"
)
_UNKNOWN: Final = Refused("there is no such admin: see 'newsletter admin list'")
_LAST_OWNER: Final = Refused("this is the last owner who can sign in: make somebody else an owner first")


def create(name: str, *, role: str, may_send: bool = False, actor: Actor, now: datetime) -> AccountLink | Refused:
    """Add an account. It has no password: the link that is returned sets it."""
    if not _NAME.fullmatch(name):
        return _BAD_NAME
    values = {"role": role, "may_send": may_send}
    try:
        with transaction.atomic():
            admin = Admin.objects.create(username=name, password=make_password(None), created_at=now, **values)
            link = links.make(admin, now=now)
            record(actor, "admin.create", _thing(admin), now=now, after=values)
    except IntegrityError:
        return Refused(f"there is an admin called {name} already: 'newsletter admin reset {name}' makes a new link")
    return link


@transaction.atomic
def reset(name: str, *, actor: Actor, now: datetime) -> AccountLink | Refused:
    """Take an admin's password, second factor, passkeys and sessions away, and return a link that sets a new password."""
    admin = _find(name)
    if admin is None:
        return _UNKNOWN
    if not admin.is_active:
        return Refused(f"{admin.username} is disabled: enable the account first")
    admin.set_unusable_password()
    admin.save(update_fields=["password"])
    Authenticator.objects.filter(user_id=admin.id).delete()
    sessions.end_all(admin.id)
    record(actor, "admin.reset", _thing(admin), now=now)
    return links.make(admin, now=now)


@transaction.atomic
def disable(name: str, *, actor: Actor, now: datetime) -> Admin | Refused:
    """Let an admin sign in no longer, and end their sessions at once. The last owner stays."""
    admin = _find(name)
    if admin is None:
        return _UNKNOWN
    if not admin.is_active:
        return Refused(f"{admin.username} is disabled already")
    if _is_last_owner(admin):
        return _LAST_OWNER
    admin.is_active, admin.link_hash, admin.link_expires_at = False, None, None
    admin.save(update_fields=["is_active", "link_hash", "link_expires_at"])
    sessions.end_all(admin.id)
    record(actor, "admin.disable", _thing(admin), now=now, before={"active": True}, after={"active": False})
    return admin


@transaction.atomic
def enable(name: str, *, actor: Actor, now: datetime) -> Admin | Refused:
    """Let an admin sign in again, with the password they had."""
    admin = _find(name)
    if admin is None:
        return _UNKNOWN
    if admin.is_active:
        return Refused(f"{admin.username} is not disabled")
    admin.is_active = True
    admin.save(update_fields=["is_active"])
    record(actor, "admin.enable", _thing(admin), now=now, before={"active": False}, after={"active": True})
    return admin


@transaction.atomic
def set_role(name: str, role: str, *, actor: Actor, now: datetime) -> Admin | Refused:
    """Make an admin an editor or an owner. The last owner stays one."""
    admin = _find(name)
    if admin is None:
        return _UNKNOWN
    if admin.role == role:
        return Refused(f"{admin.username} is {role} already")
    if role != Admin.Role.OWNER and _is_last_owner(admin):
        return _LAST_OWNER
    _change(admin, "admin.role", "role", role, actor=actor, now=now)
    return admin


@transaction.atomic
def set_may_send(name: str, may_send: bool, *, actor: Actor, now: datetime) -> Admin | Refused:
    """Give an editor the right to send messages, or take it."""
    admin = _find(name)
    if admin is None:
        return _UNKNOWN
    if admin.is_owner:
        return Refused(f"{admin.username} is an owner, and owners may always send messages")
    if admin.may_send == may_send:
        return Refused(f"{admin.username} may {'' if may_send else 'not '}send messages already")
    _change(admin, "admin.may_send", "may_send", may_send, actor=actor, now=now)
    return admin


@transaction.atomic
def change_password(admin: Admin, password: str, *, keep: str, now: datetime) -> None:
    """Set the password of somebody who knows the old one, and end their sessions but for that with the key `keep`."""
    admin.set_password(password)
    admin.save(update_fields=["password"])
    sessions.end_all(admin.id, keep=keep)
    note_own_change(admin, "admin.password", now=now)


def note_own_change(admin: Admin, action: str, *, now: datetime) -> None:
    """Write to the audit log what an admin changed about their own way to sign in."""
    record(from_admin(admin), action, _thing(admin), now=now)


def set_time_zone(admin: Admin, zone: str) -> None:
    """Choose the zone in which the desk shows times to this admin. It concerns nobody else, so the audit log says nothing."""
    Admin.objects.filter(id=admin.id).update(time_zone=zone)


def has_owner() -> bool:
    """Whether somebody can sign in, or could with a link, who may do everything."""
    return Admin.objects.filter(role=Admin.Role.OWNER, is_active=True).exists()


def _change(admin: Admin, action: str, column: str, value: Any, *, actor: Actor, now: datetime) -> None:
    before = {column: getattr(admin, column)}
    setattr(admin, column, value)
    admin.save(update_fields=[column])
    record(actor, action, _thing(admin), now=now, before=before, after={column: value})


def _find(name: str) -> Admin | None:
    """The admin of this name, with the rows of all owners locked: of two who disable each other at once, one comes first."""
    list(Admin.objects.select_for_update().filter(role=Admin.Role.OWNER).order_by("id"))
    return Admin.objects.filter(username__iexact=name).first()


def _is_last_owner(admin: Admin) -> bool:
    if not (admin.is_owner and admin.is_active):
        return False
    others = Admin.objects.filter(role=Admin.Role.OWNER, is_active=True).exclude(id=admin.id)
    return not any(other.has_usable_password() for other in others)


def _thing(admin: Admin) -> Thing:
    return Thing("admin", admin.id, admin.username)
