"""Find which of our mails a report is about: by the token in the Message-ID of the headers that it returns."""

import binascii
import re
from email.message import Message
from email.parser import HeaderParser

_HEADERS = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})
_WHOLE = frozenset({"message/rfc822", "message/global"})
_OURS = re.compile(r"<([A-Za-z0-9_-]{22})@[^<>\s]{1,255}>", re.ASCII)


def token(report: Message) -> str | None:
    """Return the token from the returned mail or its headers, else from what the report replies to (RFC 5322, 3.6.4)."""
    for part in parts(report):
        original = returned(part)
        if original is not None:
            ours = _OURS.search(text(original, "Message-ID"))
            if ours:
                return ours.group(1)
    ours = _OURS.search(f"{text(report, 'In-Reply-To')} {text(report, 'References')}")
    return ours.group(1) if ours else None


def parts(report: Message) -> list[Message]:
    """Return the parts of a report, but not the parts of these."""
    payload = report.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def returned(part: Message) -> Message | None:
    """Return the returned mail in a part, or its headers, or None if the part holds neither."""
    kind = part.get_content_type()
    if kind not in _WHOLE and kind not in _HEADERS:
        return None
    return embedded(part)


def embedded(part: Message) -> Message:
    """Return the header fields in a part, however they are encoded."""
    payload = part.get_payload()
    if isinstance(payload, list):
        inner = payload[0] if payload else None
        if not isinstance(inner, Message) or inner.keys():
            return inner if isinstance(inner, Message) else Message()
        # RFC 2046 forbids base64 for message/*, but some servers send it
        raw = binascii.a2b_base64(str(inner.get_payload()).encode("ascii", "replace"))
    else:
        decoded = part.get_payload(decode=True)
        raw = decoded if isinstance(decoded, bytes) else b""
    return HeaderParser().parsestr(raw.decode("utf-8", "replace").lstrip())


def text(message: Message, name: str) -> str:
    """Return a header on one line, at most 998 characters of it."""
    return " ".join(str(message.get(name, "")).split())[:998]
