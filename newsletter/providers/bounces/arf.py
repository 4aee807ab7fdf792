"""Read complaints in the abuse reporting format (RFC 5965)."""

from datetime import datetime
from email.message import Message

from newsletter.lib.mail.provider_interface import Report, ReportKind
from newsletter.providers.bounces.original_message import embedded, parts, text

#: `not-spam` (RFC 6430) takes a complaint back that was never reported to us; `virus` and `other` say nothing of the reader.
_TYPES = {"abuse": ReportKind.COMPLAINT, "fraud": ReportKind.COMPLAINT, "opt-out": ReportKind.UNSUBSCRIBE}


def read(report: Message, *, token: str, at: datetime) -> Report | None:
    """Return the complaint about the mail with `token`, or None if it is none.

    Its addresses are not used: mailbox providers redact them (RFC 6590), so they prove nothing.
    """
    for part in parts(report):
        if part.get_content_type() == "message/feedback-report":
            kind = _TYPES.get(text(embedded(part), "Feedback-Type").lower())
            return None if kind is None else Report(token=token, purpose="message", kind=kind, at=at)
    return None
