"""Verify and read what SendGrid's event webhook posts."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from newsletter.lib.mail.provider_interface import Address, Report, ReportKind
from newsletter.lib.mail.status_codes import status_in

#: Bytes of one request; SendGrid gathers up to 768 kB.
LARGEST: Final = 2_000_000
#: How old a signature may be, and how far ahead its clock.
TOLERANCE: Final = timedelta(minutes=10)
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)
_KINDS: Final = {
    "processed": ReportKind.PROCESSED,
    "delivered": ReportKind.DELIVERED,
    "deferred": ReportKind.DELAYED,
    "spamreport": ReportKind.COMPLAINT,
    "unsubscribe": ReportKind.UNSUBSCRIBE,
    "group_unsubscribe": ReportKind.UNSUBSCRIBE,
}
#: SendGrid's reasons to drop mail to an address on one of its lists.
_LISTED: Final = {
    "bounced address": ReportKind.BOUNCE,
    "spam reporting address": ReportKind.COMPLAINT,
    "unsubscribed address": ReportKind.UNSUBSCRIBE,
}
_REPLY = re.compile(r"[45]\d\d(?!\d)", re.ASCII)


@dataclass(frozen=True)
class SignedReports:
    """The reports of a request that SendGrid signed. `left_out` counts events that are not about one mail, or not watched."""

    reports: tuple[Report, ...]
    left_out: int = 0


@dataclass(frozen=True)
class Unverified:
    """A request for which no row may be written. `old` and `garbled` ones were signed all the same."""

    why: Literal["unsigned", "forged", "old", "garbled"]


def read(
    raw: bytes, *, signature: str, timestamp: str, keys: Sequence[EllipticCurvePublicKey], now: datetime
) -> SignedReports | Unverified:
    """Verify a request and return its reports.

    `raw` is the body as it came, to the last CR LF; `signature` (base64 of DER) and `timestamp` (UNIX seconds) are the headers
    X-Twilio-Email-Event-Webhook-Signature and -Timestamp. A signature counts if any of `keys` made it.
    """
    if not signature or not _SECONDS.fullmatch(timestamp):
        return Unverified("unsigned")
    if not _signed(timestamp.encode() + raw, signature, keys):
        return Unverified("forged")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return Unverified("old")
    try:
        events = json.loads(raw)
    except (ValueError, RecursionError):
        return Unverified("garbled")
    if not isinstance(events, list):
        return Unverified("garbled")
    reports = tuple(report for event in events if (report := _report(event, now)) is not None)
    return SignedReports(reports, len(events) - len(reports))


def _signed(signed: bytes, signature: str, keys: Sequence[EllipticCurvePublicKey]) -> bool:
    try:
        decoded = base64.b64decode(signature.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return False
    for key in keys:
        try:
            key.verify(decoded, signed, ECDSA(SHA256()))
        except InvalidSignature:
            continue
        return True
    return False


def _report(event: Any, now: datetime) -> Report | None:
    if not isinstance(event, dict):
        return None
    kind, token, seconds = _kind(event), event.get("d"), event.get("timestamp")
    latest = now.timestamp() + 86_400
    if kind is None or not isinstance(token, str) or type(seconds) is not int or not 0 < seconds < latest:
        return None
    return Report(
        token=token,
        purpose="delivery",
        kind=kind,
        at=datetime.fromtimestamp(seconds, UTC),
        # sg_event_id changes when an event is sent again
        mark=f"{_text(event, 'attempt')} {_text(event, 'url')}",
        addresses=(Address(_text(event, "email")),) if _text(event, "email") else (),
        detail=_codes(event),
    )


def _kind(event: dict[str, Any]) -> ReportKind | None:
    name = _text(event, "event")
    if name == "dropped":
        return _LISTED.get(_text(event, "reason").lower(), ReportKind.DROPPED)
    if name == "bounce":
        status = status_in(_text(event, "status"))
        passing = status.startswith(("4.", "5.7.")) or status == "5.2.2"
        return ReportKind.SOFT_BOUNCE if _text(event, "type") == "blocked" or passing else ReportKind.BOUNCE
    return _KINDS.get(name)


def _codes(event: dict[str, Any]) -> str:
    """Return reply and status codes only: servers quote the address in their text."""
    text = _text(event, "reason") or _text(event, "response")
    reply = _REPLY.match(text)
    status = status_in(_text(event, "status")) or status_in(text)
    return " ".join(part for part in (reply.group() if reply else "", status) if part)


def _text(event: dict[str, Any], name: str) -> str:
    """Return a string or a whole number as text in valid UTF-8: JSON may hold half a character, which no table stores."""
    value = event.get(name)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if type(value) is int else ""
