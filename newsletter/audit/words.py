"""A row of the audit log in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import formats, timezone
from django.utils.translation import gettext

from newsletter.lib.i18n import mark
from newsletter.models import AuditEntry

#: Action → what was done, before the name of the thing: "paused the feed" + "Harbour news".
_DONE: Final = {
    "admin.app_added": mark("added an authenticator app to the account"),
    "admin.app_removed": mark("removed the authenticator app from the account"),
    "admin.create": mark("added the account"),
    "admin.disable": mark("disabled the account"),
    "admin.enable": mark("enabled the account"),
    "admin.may_send": mark("changed the right to send of"),
    "admin.passkey_added": mark("added a passkey to the account"),
    "admin.passkey_removed": mark("removed a passkey from the account"),
    "admin.password": mark("set the password of"),
    "admin.recovery_codes": mark("made new recovery codes for"),
    "admin.reset": mark("reset the account"),
    "admin.role": mark("changed the role of"),
    "delivery.release": mark("resent what was dropped by"),
    "delivery.resolve": mark("recorded what became of the mail"),
    "delivery.retry": mark("resent the mail"),
    "feed.add": mark("added the feed"),
    "feed.backfill": mark("started reading the archive of the feed"),
    "feed.backfill_stop": mark("stopped reading the archive of the feed"),
    "feed.close_incident": mark("closed an incident of the feed"),
    "feed.edit": mark("changed the feed"),
    "feed.move": mark("followed the feed to a new URL:"),
    "feed.pause": mark("paused the feed"),
    "feed.remove": mark("removed the feed"),
    "feed.resume": mark("resumed the feed"),
    "feed.stop": mark("stopped reading the feed"),
    "item.correct": mark("corrected the item"),
    "item.publish": mark("published the item"),
    "item.withdraw": mark("withdrew the item"),
    "mailing.hold": mark("put a hold on the mailing"),
    "mailing.release": mark("released the mailing"),
    "mailing.resend": mark("resent the failed mails of the mailing"),
    "mailing.skip": mark("skipped the mailing"),
    "message.ask": mark("asked for the release of the message"),
    "message.begin": mark("started immediately: the message"),
    "message.change": mark("changed the message"),
    "message.draft": mark("turned back into a draft: the message"),
    "message.park": mark("parked because its time had passed: the message"),
    "message.send": mark("sent the message"),
    "message.stop": mark("stopped the message"),
    "message.test": mark("sent a test of the message"),
    "message.write": mark("wrote the message"),
    "provider.leave_alone": mark("stopped sending for a while by"),
    "provider.move": mark("moved planned mail away from"),
    "provider.pause": mark("paused the provider"),
    "provider.resume": mark("resumed the provider"),
    "provider.test": mark("sent a test mail by"),
    "provider.use_again": mark("sent again by"),
    "route.choose": mark("chose the provider for"),
    "route.forget": mark("removed the rule for"),
    "sending.confirm": mark("confirmed that this installation sends, and resumed"),
    "sending.pause": mark("paused"),
    "sending.resume": mark("resumed"),
    "subscriber.add": mark("added"),
    "subscriber.cadence": mark("changed a frequency of"),
    "subscriber.end": mark("ended a subscription of"),
    "subscriber.erase": mark("erased"),
    "subscriber.leave": mark("ended all subscriptions of"),
    "subscriber.mail_time": mark("changed the mail time of"),
    "subscriber.open": mark("opened the page of"),
    "suppression.add": mark("suppressed the address"),
    "suppression.lift": mark("lifted the suppression of the address"),
    "token.create": mark("made the token"),
    "token.revoke": mark("revoked the token"),
    "topic.add": mark("added the topic"),
    "topic.describe": mark("changed the description of the topic"),
    "topic.edit": mark("changed the topic"),
    "topic.hold": mark("put a hold on the topic"),
    "topic.merge": mark("merged the topic"),
    "topic.release": mark("released the topic"),
    "topic.restore": mark("restored the topic"),
    "topic.retire": mark("retired the topic"),
    "topic.urgent": mark("changed the urgency of the topic"),
}
#: The actions that have words.
ACTIONS: Final = frozenset(_DONE)
#: What a thing is called that has no name.
_KINDS: Final = {
    "sending": mark("all sending"),
    "subscriber": mark("subscriber"),
    "delivery": mark("several mails"),
    "message": mark("message"),
    "route": mark("everybody"),
}
_LONGEST: Final = 300
#: Columns that say no more than the action does.
_SAID: Final = frozenset({"held", "open", "revoked", "active", "left_alone"})
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class ColumnChange:
    """One column of a change in words. `before` or `after` is empty where there is nothing to say."""

    name: str
    before: str
    after: str


def done(row: AuditEntry) -> str:
    """What was done, without the thing's name: "paused the feed". An action without words here is named as it is."""
    words = _DONE.get(row.action)
    return gettext(words) if words else row.action.replace(".", ": ").replace("_", " ")


def thing(row: AuditEntry) -> str:
    """The name of what it was done to."""
    if row.object_name and row.object_name != "*":
        return row.object_name
    words = gettext(_KINDS[row.object_kind]) if row.object_kind in _KINDS else row.object_kind
    return words if row.object_id is None else f"{words} {row.object_id}"


def changes(row: AuditEntry) -> list[ColumnChange]:
    """What changed, one line for each column."""
    said = {*_SAID, "because"} if row.reason else _SAID
    names = [name for name in dict.fromkeys([*row.before, *row.after]) if name not in said]
    return [
        ColumnChange(name.replace("_", " "), _words(row.before, name), _words(row.after, name))
        for name in names
        if not (_is_empty(row.before.get(name)) and _is_empty(row.after.get(name)))
        and not (name in row.before and name in row.after and row.before[name] == row.after[name])
    ]


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _words(columns: Mapping[str, Any], name: str) -> str:
    return _value(columns[name])[:_LONGEST] if columns.get(name) is not None else ""


def _value(value: Any) -> str:
    if _is_empty(value):
        return gettext("none")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return formats.date_format(timezone.localtime(datetime.fromisoformat(value)), "j M Y, H:i")
    return str(value)
