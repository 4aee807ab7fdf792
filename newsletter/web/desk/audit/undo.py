"""Undo a line of the audit log, while that still means something: nothing else was done to the thing since."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from django.db.models import Max, Q

from newsletter.audit.actor import Actor
from newsletter.feeds.catalogue import manage
from newsletter.lib.refused import Refused
from newsletter.matching.topics import hold, topics
from newsletter.models import AuditEntry, Topic

#: Actions that take each other's place, for one thing.
_GROUPS: Final = (
    ("feed.pause", "feed.resume", "feed.stop", "feed.remove"),
    ("topic.hold", "topic.release", "topic.retire"),
    ("topic.urgent",),
    ("topic.describe",),
    ("sending.pause", "sending.resume", "sending.confirm"),
    ("provider.pause", "provider.resume"),
)
_GROUP_OF: Final = {action: number for number, group in enumerate(_GROUPS) for action in group}
#: Undoing these mails people: the page of the thing says whom before it is done.
ON_ITS_PAGE: Final = frozenset({"topic.hold", "sending.pause", "provider.pause"})

Undo = Callable[[AuditEntry, datetime, Actor], object]


def still_meant(rows: Iterable[AuditEntry]) -> set[int]:
    """The ids of those rows that are the newest of their kind for their thing."""
    rows = [row for row in rows if row.action in _GROUP_OF]
    if not rows:
        return set()
    things = Q(object_id__in={row.object_id for row in rows if row.object_id is not None}) | Q(object_id=None)
    kinds = {row.object_kind for row in rows}
    found = AuditEntry.objects.filter(things, object_kind__in=kinds, action__in=list(_GROUP_OF)).order_by()
    last_ids = found.values_list("object_kind", "object_id", "action").annotate(Max("id"))
    newest: dict[tuple[str, int | None, int], int] = {}
    for kind, number, action, last in last_ids:
        key = (kind, number, _GROUP_OF[action])
        newest[key] = max(newest.get(key, 0), last)
    return {row.id for row in rows if newest[row.object_kind, row.object_id, _GROUP_OF[row.action]] == row.id}


def undo(row: AuditEntry, *, now: datetime, actor: Actor) -> Refused | None:
    """Do the opposite of a row; why not, if that is not possible (any more)."""
    if row.action not in BY_BUTTON or row.id not in still_meant([row]):
        return Refused("this cannot be undone any more: something else was done since")
    done = BY_BUTTON[row.action](row, now, actor)
    return done if isinstance(done, Refused) else None


def _topic(row: AuditEntry) -> str:
    """The name of the topic now: it may have been renamed."""
    return Topic.objects.filter(id=row.object_id or 0).values_list("name", flat=True).first() or ""


BY_BUTTON: Final[dict[str, Undo]] = {
    "feed.pause": lambda row, now, actor: manage.resume(row.object_id or 0, now=now, actor=actor),
    "feed.resume": lambda row, now, actor: manage.pause(row.object_id or 0, now=now, actor=actor),
    "topic.release": lambda row, now, actor: hold.hold(_topic(row), now=now, actor=actor),
    "topic.urgent": lambda row, now, actor: topics.set_urgent(
        _topic(row), bool(row.before.get("urgent")), now=now, actor=actor
    ),
    "topic.describe": lambda row, now, actor: topics.set_description(
        _topic(row), str(row.before.get("description") or ""), now=now, actor=actor
    ),
}
