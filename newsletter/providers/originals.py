"""Which mail of ours a report speaks of: the token in the Message-ID of the headers that it returns."""

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
    if isinstance(held, list) and held and isinstance(held[0], Message) and held[0].keys():
        return held[0]
    # a message/* part in base64 is against RFC 2046, and is sent all the same
    raw = part.get_payload(decode=True)
    plain = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(held or "")
    return HeaderParser().parsestr(plain.lstrip())


def text(message: Message, name: str) -> str:
    """A header on one line, at most 998 characters of it."""
    return " ".join(str(message.get(name, "")).split())[:998]
