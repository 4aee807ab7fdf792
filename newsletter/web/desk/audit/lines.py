"""Lines of the audit log as pages show them: in words, with a link to the thing and a way to undo."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from newsletter.audit import words
from newsletter.audit.search import FOR_OWNERS, history_of
from newsletter.audit.words import ColumnChange
from newsletter.models import Admin, AuditEntry
from newsletter.web.desk.audit import undo
from newsletter.web.desk.routed import routed

#: Kind → the route of its page, and the name of its number there.
_PAGES = {
    "feed": ("desk_feeds_feed", "feed_id"),
    "topic": ("desk_topics_topic", "topic_id"),
    "item": ("desk_items_item", "item_id"),
    "message": ("desk_mailings_messages_message", "message_id"),
    "mailing": ("desk_mailings_mailing", "occasion_id"),
}


@dataclass(frozen=True)
class AuditLine:
    """One line. `url` leads to the thing, `undo_url` to the page where it can be undone; empty where there is none."""

    id: int
    at: datetime
    who: str
    #: How it came, if not on the desk: "command line", "API", "rule".
    by: str
    what: str
    thing: str
    url: str
    changes: tuple[ColumnChange, ...]
    reason: str
    #: Undone by a button of this line.
    undoable: bool
    undo_url: str


def lines(rows: Iterable[AuditEntry]) -> list[AuditLine]:
    """The rows in words; one query, whatever their number, finds those that can be undone."""
    rows = list(rows)
    newest = undo.still_meant(rows)
    return [_line(row, row.id in newest) for row in rows]


def history(kind: str, number: int | None, admin: Admin, *, most: int = 10) -> list[AuditLine]:
    """The newest changes of one thing, for `components/history.html.j2`. Empty if this admin may not see them."""
    if kind in FOR_OWNERS and not admin.is_owner:
        return []
    return lines(history_of(kind, number, most=most))


def _line(row: AuditEntry, still_meant: bool) -> AuditLine:
    page, argument = _PAGES.get(row.object_kind, ("", ""))
    url = routed(page, {argument: row.object_id}) if page and row.object_id is not None else ""
    if row.object_kind == "delivery" and row.object_name:
        url = routed("desk_mailings_delivery", {"reference": row.object_name})
    on_page = url or (routed("desk_sending") if row.object_kind in ("sending", "provider") else "")
    return AuditLine(
        id=row.id,
        at=row.at,
        who=row.actor,
        by=_by(row.actor_kind),
        what=words.done(row),
        thing=words.thing(row),
        url=url,
        changes=tuple(words.changes(row)),
        reason=row.reason,
        undoable=still_meant and row.action in undo.BY_BUTTON,
        undo_url=on_page if still_meant and row.action in undo.ON_ITS_PAGE else "",
    )


def _by(kind: str) -> str:
    return {
        AuditEntry.ActorKind.COMMAND.value: _("command line"),
        AuditEntry.ActorKind.API.value: _("API"),
        AuditEntry.ActorKind.RULE.value: _("rule"),
    }.get(kind, "")
