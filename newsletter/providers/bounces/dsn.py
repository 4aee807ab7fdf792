"""A delivery status notification (RFC 3464) in, a report out."""

import re
from datetime import datetime
from email.message import Message

from newsletter.lib.provider_interface import Address, Report, ReportKind
from newsletter.lib.status_codes import mailbox_gone, status_in
from newsletter.providers.bounces.original_message import parts, text

_DONE = frozenset({"delivered", "relayed", "expanded"})
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


def read(report: Message, *, token: str, at: datetime) -> Report | None:
    """What the notification says of the mail with `token`; None when it is no such notification.

    Ours go to one person each. Where an alias made several of it, what went well for one of them counts.
    """
    told = [fields for part in parts(report) if part.get_content_type() in _KINDS for fields in _recipients(part)]
    judged = [(kind, fields) for fields in told if (kind := _kind(fields)) is not None]
    if not judged:
        return None
    kind, fields = min(judged, key=lambda one: _MILDEST.index(one[0]))
    status = status_in(text(fields, "Status"))
    return Report(
        token=token,
        purpose="message",
        kind=kind,
        at=at,
        mark=status,
        addresses=_addresses(fields),
        detail=status,
    )


_KINDS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MILDEST = (ReportKind.DELIVERED, ReportKind.DELAYED, ReportKind.SOFT_BOUNCE, ReportKind.BOUNCE)


def _recipients(part: Message) -> list[Message]:
    """The blocks of a status part that speak of a recipient: all but the first, which speaks of the mail."""
    held = part.get_payload()
    blocks = held if isinstance(held, list) else []
    return [block for block in blocks if isinstance(block, Message) and block.get("Action")]


def _kind(fields: Message) -> ReportKind | None:
    action = text(fields, "Action").lower().partition(" ")[0]
    if action in _DONE:
        return ReportKind.DELIVERED
    if action == "delayed":
        return ReportKind.DELAYED
    if action != "failed":
        return None
    status = status_in(text(fields, "Status"))
    if status in ("", "5.0.0"):
        # a server that knows no more leaves it to what the next one said
        status = status_in(text(fields, "Diagnostic-Code")) or status
    return ReportKind.BOUNCE if mailbox_gone(status) else ReportKind.SOFT_BOUNCE


def _addresses(fields: Message) -> tuple[Address, ...]:
    """Original and final recipient: `rfc822; name@example.org`, the original in xtext (RFC 3461, 4)."""
    found = []
    for name in ("Original-Recipient", "Final-Recipient"):
        kind, _, value = text(fields, name).partition(";")
        if kind.strip().lower() in ("rfc822", "utf-8") and "@" in value:
            plain = _XTEXT.sub(lambda code: chr(int(code.group(1), 16)), value) if name[0] == "O" else value
            found.append(Address(plain.strip().strip("<>")))
    return tuple(found)
