"""Which mail of ours a report speaks of: the token in the Message-ID of the headers that it returns."""

import binascii
import re
from email.message import Message
from email.parser import HeaderParser

_HEADERS = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})
_WHOLE = frozenset({"message/rfc822", "message/global"})
_OURS = re.compile(r"<([A-Za-z0-9_-]{22})@[^<>\s]{1,255}>", re.ASCII)


def token(report: Message) -> str | None:
    """The token, from the returned mail or its headers, else from what the report says that it answers (RFC 5322, 3.6.4)."""
    for part in parts(report):
        original = returned(part)
        if original is not None:
            found = _OURS.search(text(original, "Message-ID"))
            if found:
                return found.group(1)
    found = _OURS.search(f"{text(report, 'In-Reply-To')} {text(report, 'References')}")
    return found.group(1) if found else None


def parts(report: Message) -> list[Message]:
    """The parts of a report, not of what they hold."""
    held = report.get_payload()
    return [part for part in held if isinstance(part, Message)] if isinstance(held, list) else []


def returned(part: Message) -> Message | None:
    """The returned mail in a part, or its headers; None if it is another part."""
    kind = part.get_content_type()
    if kind not in _WHOLE and kind not in _HEADERS:
        return None
    return embedded(part)


def embedded(part: Message) -> Message:
    """What stands in a part as header fields, however it was encoded."""
    held = part.get_payload()
    if isinstance(held, list):
        inner = held[0] if held else None
        if not isinstance(inner, Message) or inner.keys():
            return inner if isinstance(inner, Message) else Message()
        # a message/* part in base64 is against RFC 2046, and is sent all the same
        raw = binascii.a2b_base64(str(inner.get_payload()).encode("ascii", "replace"))
    else:
        decoded = part.get_payload(decode=True)
        raw = decoded if isinstance(decoded, bytes) else b""
    return HeaderParser().parsestr(raw.decode("utf-8", "replace").lstrip())


def text(message: Message, name: str) -> str:
    """A header on one line, at most 998 characters of it."""
    return " ".join(str(message.get(name, "")).split())[:998]
