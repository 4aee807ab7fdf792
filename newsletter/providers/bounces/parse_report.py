"""A mail that came back: raw bytes in, reports out, or None when it is neither a bounce (RFC 3464) nor a complaint (RFC 5965).

Whoever can write to the mailbox can write anything, so only a Message-ID of ours, which cannot be guessed, makes it a report.
"""

from datetime import UTC, datetime, timedelta
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Final

from newsletter.lib.provider_interface import Report
from newsletter.providers.bounces import arf, dsn
from newsletter.providers.bounces.original_message import token

#: Bytes that are looked at; a report and the returned headers stand before the returned body.
LARGEST: Final = 512_000
#: A report has three parts. The parser's time grows with each level, so what has very many is not looked at.
_PARTS: Final = 30
_OLDEST, _AHEAD = timedelta(days=30), timedelta(days=1)


def read(raw: bytes, *, received: datetime) -> Report | None:
    """The report in a mail that was `received` then; its own Date counts where it can be true."""
    raw = raw[:LARGEST]
    plain = raw.lower()
    if plain.count(b"boundary") > _PARTS or plain.count(b"message/") > _PARTS:
        return None
    try:
        message = BytesParser().parsebytes(raw)
        if message.get_content_type() != "multipart/report" or not message.is_multipart():
            return None
        found = token(message)
        if found is None:
            return None
        at = _date(message, received)
        return dsn.read(message, token=found, at=at) or arf.read(message, token=found, at=at)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # the parser raises all of these for mails made to hurt it


def _date(message: Message, received: datetime) -> datetime:
    try:
        told = parsedate_to_datetime(str(message.get("Date", "")))
        told = told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return received
    return told if received - _OLDEST < told < received + _AHEAD else received
