"""Parse mail that came back: bounces (RFC 3464) and complaints (RFC 5965).

Anybody can write to the mailbox, so only a mail that names a Message-ID of ours, which cannot be guessed, is a report.
"""

from datetime import UTC, datetime, timedelta
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Final

from newsletter.lib.mail.provider_interface import Report
from newsletter.providers.bounces import arf, dsn
from newsletter.providers.bounces.original_message import token

#: Bytes that are read; the report and the returned headers come before the returned body.
LARGEST: Final = 512_000
#: A report has three parts. Parsing takes longer with each level, so a mail with very many parts is not parsed.
_PARTS: Final = 30
_OLDEST, _AHEAD = timedelta(days=30), timedelta(days=1)


def read(raw: bytes, *, received: datetime) -> Report | None:
    """Return the report in a mail, or None if it is none. Its Date counts if that is plausible, else `received`."""
    raw = raw[:LARGEST]
    plain = raw.lower()
    if plain.count(b"boundary") > _PARTS or plain.count(b"message/") > _PARTS:
        return None
    try:
        message = BytesParser().parsebytes(raw)
        if message.get_content_type() != "multipart/report" or not message.is_multipart():
            return None
        message_token = token(message)
        if message_token is None:
            return None
        at = _date(message, received)
        return dsn.read(message, token=message_token, at=at) or arf.read(message, token=message_token, at=at)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # the parser raises all of these for malicious mails


def _date(message: Message, received: datetime) -> datetime:
    try:
        date = parsedate_to_datetime(str(message.get("Date", "")))
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return received
    return date if received - _OLDEST < date < received + _AHEAD else received
