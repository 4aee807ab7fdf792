"""Write to the audit log. Every entry point that changes something for others calls it, in the transaction of the change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.audit.actor import Actor
from newsletter.lib.refused import Refused
from newsletter.models import AuditEntry


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
        object_name=thing.name,
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
    )


def reason_problem(reason: str) -> Refused | None:
    """Why this cannot stand in the audit log as a reason. Returns None if it can."""
    if not reason.strip():
        return Refused("write a reason: it is kept in the audit log")
    if "@" in reason:
        return Refused("a reason must not contain an address: the audit log names nobody")
    return None
