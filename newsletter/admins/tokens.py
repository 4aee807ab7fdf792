"""Tokens of the API: make, list and revoke them, and find out whose a token is."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import ApiToken

#: Requests that one token may make in a minute.
PER_MINUTE: Final = 300
#: How long a token may be valid, and is if nobody says.
LONGEST: Final = timedelta(days=730)
USUAL: Final = timedelta(days=365)
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,58}[A-Za-z0-9])?")
_BAD_NAME: Final = Refused("a token's name is up to 60 letters, digits, spaces, dots, hyphens and underscores")
_FORM: Final = re.compile(r"nl_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")
#: Compared with where no token has the prefix, so that both cases take as long.
_NOBODY: Final = bytes(32)


@dataclass(frozen=True)
class NewToken:
    """A token that was just made. `secret` is stored nowhere: it is shown once, and never logged."""

    id: int
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    secret: str

    def __repr__(self) -> str:
        return f"NewToken(id={self.id}, ***)"


@dataclass(frozen=True)
class TokenUse:
    """Whether a request may be made now. `retry_after`: seconds until the next may; 0: this one may."""

    retry_after: int


def create(
    name: str, scopes: Collection[str], *, expires_at: datetime | None = None, actor: Actor, now: datetime
) -> NewToken | Refused:
    """Make a token. Without `expires_at` it is valid for a year."""
    chosen = tuple(scope for scope in ApiToken.Scope.values if scope in scopes)
    expires_at = expires_at or now + USUAL
    problem = _problem(name, scopes, expires_at, now)
    if problem is not None:
        return problem
    prefix = f"nl_{secrets.token_hex(6)}"
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                name=name,
                prefix=prefix,
                token_hash=_hash(secret),
                scopes=list(chosen),
                made_by=actor.name,
                created_at=now,
                expires_at=expires_at,
            )
            after = {"scopes": list(chosen), "expires_at": expires_at}
            record(actor, "token.create", _thing(token), now=now, after=after)
    except IntegrityError:
        return Refused("there is a token of this name already: choose another name")
    return NewToken(token.id, name, chosen, expires_at, secret)


def list_tokens() -> list[ApiToken]:
    """All tokens, revoked and expired ones last, the newest first."""
    return sorted(ApiToken.objects.order_by("-id"), key=lambda token: token.revoked_at is not None)


def still_used_from(name: str, *, now: datetime) -> list[str]:
    """The names of valid tokens that this admin made on the desk: they go on working when the account is disabled."""
    made = ApiToken.objects.filter(made_by=name, revoked_at=None, expires_at__gt=now).order_by("name")
    return list(made.values_list("name", flat=True))


def state(token: ApiToken, *, now: datetime) -> str:
    """What a token is: valid, expired or revoked."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= now else "valid"


def revoke(name: str, *, actor: Actor, now: datetime) -> ApiToken | Refused:
    """Let a token do nothing any more, at once and for good."""
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().filter(name=name).first()
        if token is None:
            return Refused("there is no such token: see 'newsletter tokens list'")
        if token.revoked_at is not None:
            return Refused("this token is revoked already")
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        before, after = {"revoked": False}, {"revoked": True}
        record(actor, "token.revoke", _thing(token), now=now, before=before, after=after)
    return token


def find(secret: str, *, now: datetime) -> ApiToken | None:
    """The token that is valid now, or None. Takes as long for a wrong one as for an unknown one."""
    token = None
    if _FORM.fullmatch(secret):
        token = ApiToken.objects.filter(prefix=secret[:15]).first()
    stored = bytes(token.token_hash) if token is not None else _NOBODY
    same = hmac.compare_digest(stored, _hash(secret))
    return token if token is not None and same and state(token, now=now) == "valid" else None


def count_use(token: ApiToken, *, now: datetime) -> TokenUse:
    """Count a request of this token, and say whether it may be made: one row for all processes."""
    minute, second = divmod(int(now.timestamp()), 60)
    rows = db.rows(
        "UPDATE api_token SET in_minute=CASE WHEN minute=%(minute)s THEN in_minute+1 ELSE 1 END, "
        "last_used_at=CASE WHEN minute=%(minute)s AND last_used_at IS NOT NULL THEN last_used_at ELSE %(now)s END, "
        "minute=%(minute)s WHERE id=%(id)s RETURNING in_minute",
        {"minute": minute, "now": now, "id": token.id},
    )
    return TokenUse(0 if rows and rows[0][0] <= PER_MINUTE else 60 - second)


def _problem(name: str, scopes: Collection[str], expires_at: datetime, now: datetime) -> Refused | None:
    if not _NAME.fullmatch(name):
        return _BAD_NAME
    known = set(ApiToken.Scope.values)
    if not scopes or not set(scopes) <= known:
        return Refused(f"a token needs scopes, of {', '.join(ApiToken.Scope.values)}")
    if ApiToken.Scope.PEOPLE in scopes and len(set(scopes)) > 1:
        return Refused("the scope people stands alone: make a second token for the others")
    if not now < expires_at <= now + LONGEST:
        return Refused(f"a token expires within {LONGEST.days} days")
    return None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _thing(token: ApiToken) -> Thing:
    return Thing("token", token.id, token.name)
