"""Find rows of the audit log: by who, by what it was done to, by action and time. Lists are newest first."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from newsletter.models import AuditEntry

#: Rows that only owners see: about people, colleagues and tokens, and about the domains of people's addresses.
FOR_OWNERS = ("subscriber", "suppression", "admin", "token", "route")


@dataclass(frozen=True)
class AuditFilter:
    """What to look for; empty means everything."""

    #: A name, in full.
    actor: str = ""
    #: A kind of thing, such as "topic", and its number.
    kind: str = ""
    number: int | None = None
    #: A part of the thing's name at that time.
    name: str = ""
    action: str = ""
    since: datetime | None = None
    #: Rows before this moment.
    before: datetime | None = None


def find_rows(wanted: AuditFilter, *, for_owner: bool) -> QuerySet[AuditEntry]:
    """The rows that fit, not sorted. Without `for_owner`, those of `FOR_OWNERS` are left out."""
    conditions = Q()
    columns = {
        "actor": wanted.actor,
        "object_kind": wanted.kind,
        "object_id": wanted.number,
        "object_name__icontains": wanted.name,
        "action": wanted.action,
        "at__gte": wanted.since,
        "at__lt": wanted.before,
    }
    for column, value in columns.items():
        if value not in ("", None):
            conditions &= Q(**{column: value})
    rows = AuditEntry.objects.filter(conditions)
    return rows if for_owner else rows.exclude(object_kind__in=FOR_OWNERS)


def history_of(kind: str, number: int | None, *, most: int = 10) -> list[AuditEntry]:
    """The newest changes of one thing, newest first."""
    return list(AuditEntry.objects.filter(object_kind=kind, object_id=number).order_by("-id")[:most])
