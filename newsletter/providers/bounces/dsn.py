"""Read delivery status notifications (RFC 3464)."""

import re
from datetime import datetime
from email.message import Message

from newsletter.lib.mail.provider_interface import Address, Report, ReportKind
from newsletter.lib.mail.status_codes import mailbox_gone, status_in
from newsletter.providers.bounces.original_message import parts, text

_DONE = frozenset({"delivered", "relayed", "expanded"})
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


def read(report: Message, *, token: str, at: datetime) -> Report | None:
    """Return the report about the mail with `token`, or None if the mail is no such notification.

    Our mails have one recipient each. If an alias made several of it, the best of their results counts.
    """
    recipients = [fields for part in parts(report) if part.get_content_type() in _TYPES for fields in _recipients(part)]
    results = [(kind, fields) for fields in recipients if (kind := _kind(fields)) is not None]
    if not results:
        return None
    kind, fields = min(results, key=lambda result: _BEST_FIRST.index(result[0]))
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


_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_BEST_FIRST = (ReportKind.DELIVERED, ReportKind.DELAYED, ReportKind.SOFT_BOUNCE, ReportKind.BOUNCE)


def _recipients(part: Message) -> list[Message]:
    """Return the blocks of a status part that are about a recipient: all but the first, which is about the mail."""
    payload = part.get_payload()
    blocks = payload if isinstance(payload, list) else []
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
        # such a server leaves the details to the reply of the next one
        status = status_in(text(fields, "Diagnostic-Code")) or status
    return ReportKind.BOUNCE if mailbox_gone(status) else ReportKind.SOFT_BOUNCE


def _addresses(fields: Message) -> tuple[Address, ...]:
    """Return the original and the final recipient: `rfc822; name@example.org`, the original in xtext (RFC 3461, 4)."""
    addresses = []
    for name in ("Original-Recipient", "Final-Recipient"):
        kind, _, value = text(fields, name).partition(";")
        if kind.strip().lower() in ("rfc822", "utf-8") and "@" in value:
            plain = _XTEXT.sub(lambda code: chr(int(code.group(1), 16)), value) if name[0] == "O" else value
            addresses.append(Address(plain.strip().strip("<>")))
    return tuple(addresses)
