"""A mail message: encoded once per letter, then joined from byte parts for each person."""

import binascii
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import format_datetime
from functools import lru_cache

from newsletter.lib.mail.headers import (
    ONE_CLICK,
    POLICY,
    HeaderFields,
    NotMailable,
    SenderIdentity,
    ascii_address,
    header_text,
    mailbox,
    shared_headers,
)
from newsletter.lib.mail.placeholders import PATTERN
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel

_LEADING_DOTS = re.compile(rb"(?m)^\.+")
#: Text that needs no escaping in HTML or quoted-printable, and fits on one line: most links and references.
_PLAIN = re.compile(r"(?!\.)[\w:/.?-]{0,74}", re.ASCII)
#: Quoted-printable text never contains `=_`, so no body can contain this.
_BOUNDARY = "=_nl-part"
_ONE_CLICK_LINE = "".join(f"{name}: {value}\r\n" for name, value in ONE_CLICK.items())
#: Fixed bytes, or the name of a placeholder and whether it is in HTML.
_Piece = bytes | tuple[str, bool]


@dataclass(frozen=True)
class Prepared:
    """An encoded letter, ready to be joined with each person's values."""

    #: The fixed parts, and empty ones where personal values go.
    _parts: tuple[bytes, ...] = field(repr=False)
    #: Each placeholder and the indexes of its parts in text and in HTML; index 0 is that of the personal headers.
    _placeholders: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = field(repr=False)

    def message(self, parcel: Parcel, date: datetime) -> bytes:
        """Return the mail for one person: ASCII, CRLF, lines of at most 998 characters (76 in bodies).

        Raises:
            NotMailable: a personal value is missing, or does not fit in a header.
        """
        return b"".join(self.parts(parcel, date))

    def parts(self, parcel: Parcel, date: datetime) -> list[bytes]:
        """As `message`, in parts.

        Raises:
            NotMailable: as `message`.
        """
        fields = HeaderFields.of(parcel)
        lines = f"To: {fields.address}\r\nDate: {_date(date)}\r\nMessage-ID: <{fields.message_id}>\r\n"
        if fields.unsubscribe is not None:
            lines += f"List-Unsubscribe: <{fields.unsubscribe}>\r\n{_ONE_CLICK_LINE}"
        parts, personal = [lines.encode("ascii"), *self._parts], parcel.personal
        for name, in_text, in_html in self._placeholders:
            try:
                value = personal[name]
            except KeyError:
                raise missing_value(name) from None
            if _PLAIN.fullmatch(value):
                in_plain = in_markup = value.encode("ascii") + b"=\r\n"
            else:
                in_plain, in_markup = _open_ended(value), _open_ended(html.escape(value))
            for position in in_text:
                parts[position] = in_plain
            for position in in_html:
                parts[position] = in_markup
        return parts


def prepare(letter: Letter, sender: SenderIdentity) -> Prepared:
    """Encode what all mails of a letter share.

    Raises:
        NotMailable: the sender does not fit in a header.
    """
    shared = {
        "From": mailbox(sender.name, sender.address),
        "Subject": header_text(letter.subject),
        "Reply-To": ascii_address(sender.contact),
        "MIME-Version": "1.0",
        **shared_headers(letter, sender),
    }
    head = b"".join(POLICY.fold_binary(name, value) for name, value in shared.items())
    if message_from_bytes(head + b"\r\n").keys() != list(shared):
        raise NotMailable("the letter's words make headers of their own")
    text = _part("plain", letter.text, in_html=False)
    if not letter.html:
        return _prepared(head, text)
    opening = f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\r\n\r\n--{_BOUNDARY}\r\n'.encode()
    between = f"\r\n--{_BOUNDARY}\r\n".encode()
    closing = f"\r\n--{_BOUNDARY}--\r\n".encode()
    return _prepared(head, [opening, *text, between, *_part("html", letter.html, in_html=True), closing])


def safe_python() -> bool:
    """True if hostile text stays text on this Python: some versions of its e-mail package make headers of it."""
    hostile = "=?utf-8?q?x=0D=0ABcc:_v@example.org?= \r\nBcc: v@example.org"
    sender = SenderIdentity(hostile, "digest@example.org", hostile, "editor@example.org", "https://example.org")
    letter = Letter(0, "alert", hostile, hostile, hostile)
    parcel = Parcel(0, Address("reader@example.org"), letter, {}, "a@example.org", "a", "https://example.org/a")
    raw = prepare(letter, sender).message(parcel, datetime(2026, 1, 1, tzinfo=UTC))
    expected = ["From", "To", "Subject", "Date", "Reply-To", "MIME-Version", "Content-Type"]
    own = ["Message-ID", "List-Unsubscribe", *ONE_CLICK, *shared_headers(letter, sender)]
    return sorted(message_from_bytes(raw).keys()) == sorted([*expected, *own])


def missing_value(name: str) -> NotMailable:
    """Return the error for a placeholder of the letter that has no value in a parcel."""
    return NotMailable(f"the personal place {name} has no value")


def _part(subtype: str, text: str, *, in_html: bool) -> list[_Piece]:
    """Return the headers and the body of a text part, cut at its placeholders; each begins on a new line of the encoding."""
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    pieces = PATTERN.split(text)
    parts: list[_Piece] = [head.encode()]
    for fixed, name in zip(pieces[::2], pieces[1::2], strict=False):
        parts += [_open_ended(fixed), (name, in_html)]
    return [*parts, _quoted_printable(pieces[-1])]


def _prepared(head: bytes, pieces: Iterable[_Piece]) -> Prepared:
    """Join neighbouring bytes, and note where the placeholders are."""
    parts: list[bytes] = [head]
    indexes: dict[str, tuple[list[int], list[int]]] = {}
    for piece in pieces:
        if isinstance(piece, bytes):
            parts[-1] += piece
        else:
            name, in_html = piece
            indexes.setdefault(name, ([], []))[in_html].append(len(parts) + 1)
            parts += [b"", b""]
    return Prepared(tuple(parts), tuple((name, tuple(text), tuple(markup)) for name, (text, markup) in indexes.items()))


def _quoted_printable(text: str) -> bytes:
    """Encode as quoted-printable (RFC 2045, 6.7): lines of at most 76 characters, CRLF, none of which begins with a dot."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    encoded = _LEADING_DOTS.sub(
        lambda dots: b"=2E=\n" * len(dots[0]), binascii.b2a_qp(plain, quotetabs=False, istext=True)
    )
    return encoded.replace(b"\n", b"\r\n")


def _open_ended(text: str) -> bytes:
    """Encode as quoted-printable and end with a soft line break, which the reader does not see."""
    # with the x, white space before it is not at the end of a line, and there is room for the `=`
    encoded = _quoted_printable(text + "x")[:-1]
    return encoded if not encoded or encoded.endswith(b"\n") else encoded + b"=\r\n"


@lru_cache(maxsize=8)
def _date(moment: datetime) -> str:
    return format_datetime(moment)
