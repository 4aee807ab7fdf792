"""Signed event posts and returned mails, made as SendGrid and mail servers make them; all addresses are examples."""

import base64
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from newsletter.lib.mail.provider_interface import Report, ReportKind
from newsletter.models import Delivery
from tests import factories
from tests.reports_key import KEY, PUBLIC
from tests.signed import body, event, sign

__all__ = ["KEY", "PUBLIC", "body", "bounce", "complaint", "event", "report", "sign"]


def report(delivery: Delivery | int, kind: ReportKind, *, at: datetime = factories.NOW, **more: Any) -> Report:
    """A report that speaks of this delivery by its derived value."""
    number = delivery if isinstance(delivery, int) else delivery.id
    return Report(token=factories.VAULT.token("delivery", number), purpose="delivery", kind=kind, at=at, **more)


def bounce(
    message_id: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    diagnostic: str = "smtp; 550 no such user reader@example.org",
    recipient: str = "reader@example.org",
    at: datetime = factories.NOW,
    returned: str = "text/rfc822-headers",
    encoding: str = "7bit",
) -> bytes:
    """A delivery status notification about the mail with this Message-ID."""
    original = f"From: digest@example.org\r\nTo: {recipient}\r\nSubject: Your update\r\nMessage-ID: <{message_id}>\r\n"
    if encoding == "base64":
        original = base64.encodebytes(original.encode()).decode().replace("\n", "\r\n")
    return (
        "From: MAILER-DAEMON@mx.example.org (Mail Delivery System)\r\n"
        "To: digest@example.org\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "Auto-Submitted: auto-replied\r\n"
        f"Date: {format_datetime(at.astimezone(UTC))}\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_edge"\r\n'
        "MIME-Version: 1.0\r\n\r\n"
        "--=_edge\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--=_edge\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.org\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {diagnostic}\r\n\r\n"
        f"--=_edge\r\nContent-Type: {returned}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{original}\r\n"
        "--=_edge--\r\n"
    ).encode()


def complaint(message_id: str, *, kind: str = "abuse", at: datetime = factories.NOW) -> bytes:
    """A complaint in the abuse reporting format, with the address redacted."""
    return (
        "From: feedback@mailbox.example\r\nTo: abuse@example.org\r\nSubject: FW: Your update\r\n"
        f"Date: {format_datetime(at.astimezone(UTC))}\r\n"
        'Content-Type: multipart/report; report-type="feedback-report"; boundary=edge\r\nMIME-Version: 1.0\r\n\r\n'
        "--edge\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n"
        "--edge\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: Feedback/1.0\r\nVersion: 1\r\n"
        "Original-Rcpt-To: <x-redacted-1f2e@mailbox.example>\r\n\r\n"
        "--edge\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: digest@example.org\r\nMessage-ID: <{message_id}>\r\nSubject: Your update\r\n\r\nHello.\r\n--edge--\r\n"
    ).encode()
