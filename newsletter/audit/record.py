"""Write to the audit log. Every entry point that changes something for others calls it, in the transaction of the change."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from newsletter.audit.actor import Actor
from newsletter.lib.refused import Refused
from newsletter.models import AuditEntry

#: User name and password in a URL.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")
#: An address in a text that is not a URL.
_ADDRESS = re.compile(r"(?<![^\s<>()\"',;:])[^\s@<>()\"',;:/]+@[^\s@<>()\"',;:/]+\.[^\s@<>()\"',;:/]+")


@dataclass(frozen=True)
class Thing:
    """What a change is made to. `name` is its name now; empty for people."""

    kind: str
    id: int | None = None
    name: str = ""


def record(
    actor: Actor,
    action: str,
    thing: Thing,
    *,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write one row. `before` and `after` hold the columns that changed; never an address or a reader's keyword.

    As a second safeguard, what looks like an address is replaced, and URLs are stored without user name and password.

    Raises:
        IntegrityError: the reason contains "@" (`reason_problem` says so to whoever typed it).
    """
    AuditEntry.objects.create(
        at=now,
        actor_kind=actor.kind,
        actor=actor.name,
        admin_id=actor.admin_id,
        action=action,
        object_kind=thing.kind,
        object_id=thing.id,
        object_name=without_secrets(thing.name),
        before=_plain(before or {}),
        after=_plain(after or {}),
        reason=reason,
    )


def record_difference(
    actor: Actor,
    action: str,
    thing: Thing,
    *,
    now: datetime,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str = "",
) -> bool:
    """`record` with those columns of `after` that differ from `before`. Returns False, and writes nothing, if none does."""
    changed = [name for name, value in after.items() if before.get(name) != value]
    if changed:
        old, new = ({name: values.get(name) for name in changed} for values in (before, after))
        record(actor, action, thing, now=now, before=old, after=new, reason=reason)
    return bool(changed)


def reason_problem(reason: str) -> Refused | None:
    """Why this cannot stand in the audit log as a reason. Returns None if it can."""
    if not reason.strip():
        return Refused("write a reason: it is kept in the audit log")
    if "@" in reason:
        return Refused("a reason must not contain an address: the audit log names nobody")
    return None


def without_secrets(text: str) -> str:
    """The text with "[address]" in place of what looks like an address, and without the credentials of URLs."""
    return _ADDRESS.sub("[address]", _CREDENTIALS.sub("", text))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON holds them, without secrets."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return without_secrets(value)
        if isinstance(value, list):
            return [clean(each) for each in value]
        if isinstance(value, dict):
            return {name: clean(each) for name, each in value.items()}
        return value

    cleaned: dict[str, Any] = clean(json.loads(json.dumps(dict(values), cls=DjangoJSONEncoder)))
    return cleaned
