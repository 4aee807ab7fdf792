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

from newsletter.lib.mail_headers import (
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
from newsletter.lib.placeholders import PATTERN
from newsletter.lib.provider_interface import Address, Letter, Parcel

_LEADING_DOTS = re.compile(rb"(?m)^\.+")
#: What both HTML and quoted-printable leave as it is, on one line: most links and references.
_AS_IT_IS = re.compile(r"(?!\.)[\w:/.?-]{0,74}", re.ASCII)
#: An `=_` can never stand in quoted-printable text, so no body can hold this.
_BOUNDARY = "=_nl-part"
_ONE_CLICK_LINE = "".join(f"{name}: {value}\r\n" for name, value in ONE_CLICK.items())
#: Fixed bytes, or the name of a place and whether it is one in HTML.
_Piece = bytes | tuple[str, bool]


@dataclass(frozen=True)
class Prepared:
    """A letter ready to be joined with each person's parts."""

    #: All that is fixed, and nothing where a personal part goes.
    _pieces: tuple[bytes, ...] = field(repr=False)
    #: Each place, and where its words go as text and as HTML, counted with what stands before all pieces.
    _placeholders: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = field(repr=False)

    def message(self, parcel: Parcel, date: datetime) -> bytes:
        """The mail for one person, as it travels: ASCII, CRLF, lines of at most 998 characters (76 in bodies).

        Raises:
            NotMailable: something personal is missing, or not fit for a header.
        """
        return b"".join(self.parts(parcel, date))

    def parts(self, parcel: Parcel, date: datetime) -> list[bytes]:
        """As `message`, not joined yet.

        Raises:
            NotMailable: as `message`.
        """
        own = HeaderFields.of(parcel)
        lines = f"To: {own.address}\r\nDate: {_date(date)}\r\nMessage-ID: <{own.message_id}>\r\n"
        if own.unsubscribe is not None:
            lines += f"List-Unsubscribe: <{own.unsubscribe}>\r\n{_ONE_CLICK_LINE}"
        parts, personal = [lines.encode("ascii"), *self._pieces], parcel.personal
        for name, in_text, in_html in self._placeholders:
            try:
                value = personal[name]
            except KeyError:
                raise missing_value(name) from None
            if _AS_IT_IS.fullmatch(value):
                text = markup = value.encode("ascii") + b"=\r\n"
            else:
                text, markup = _open_ended(value), _open_ended(html.escape(value))
            for position in in_text:
                parts[position] = text
            for position in in_html:
                parts[position] = markup
        return parts


def prepare(letter: Letter, sender: SenderIdentity) -> Prepared:
    """Encode what all mails of a letter share: once per letter, however many people get it.

    Raises:
        NotMailable: the sender cannot stand in a header.
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
    """Whether hostile words stay words on this Python: some versions of its e-mail package make headers of them."""
    hostile = "=?utf-8?q?x=0D=0ABcc:_v@example.org?= \r\nBcc: v@example.org"
    sender = SenderIdentity(hostile, "digest@example.org", hostile, "editor@example.org", "https://example.org")
    letter = Letter(0, "alert", hostile, hostile, hostile)
    parcel = Parcel(0, Address("reader@example.org"), letter, {}, "a@example.org", "a", "https://example.org/a")
    raw = prepare(letter, sender).message(parcel, datetime(2026, 1, 1, tzinfo=UTC))
    expected = ["From", "To", "Subject", "Date", "Reply-To", "MIME-Version", "Content-Type"]
    own = ["Message-ID", "List-Unsubscribe", *ONE_CLICK, *shared_headers(letter, sender)]
    return sorted(message_from_bytes(raw).keys()) == sorted([*expected, *own])


def missing_value(name: str) -> NotMailable:
    """A place of the letter for which the parcel has no words."""
    return NotMailable(f"the personal place {name} has no value")


def _part(subtype: str, text: str, *, in_html: bool) -> list[_Piece]:
    """A text part: its headers, and its body cut at the places, each of which begins on a line of its own."""
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    pieces = PATTERN.split(text)
    parts: list[_Piece] = [head.encode()]
    for fixed, name in zip(pieces[::2], pieces[1::2], strict=False):
        parts += [_open_ended(fixed), (name, in_html)]
    return [*parts, _quoted_printable(pieces[-1])]


def _prepared(head: bytes, parts: Iterable[_Piece]) -> Prepared:
    """Neighbouring bytes as one, and the places told from them."""
    pieces: list[bytes] = [head]
    places: dict[str, tuple[list[int], list[int]]] = {}
    for part in parts:
        if isinstance(part, bytes):
            pieces[-1] += part
        else:
            name, in_html = part
            places.setdefault(name, ([], []))[in_html].append(len(pieces) + 1)
            pieces += [b"", b""]
    return Prepared(tuple(pieces), tuple((name, tuple(text), tuple(markup)) for name, (text, markup) in places.items()))


def _quoted_printable(text: str) -> bytes:
    """RFC 2045, 6.7: lines of at most 76 characters, CRLF. None begins with a dot, so no server has to be shown that it does."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    encoded = _LEADING_DOTS.sub(
        lambda dots: b"=2E=\n" * len(dots[0]), binascii.b2a_qp(plain, quotetabs=False, istext=True)
    )
    return encoded.replace(b"\n", b"\r\n")


def _open_ended(text: str) -> bytes:
    """Quoted-printable text after which a new line begins that is not one for the reader."""
    # the x keeps white space at the end from being the end of a line, and leaves room for the `=`
    encoded = _quoted_printable(text + "x")[:-1]
    return encoded if not encoded or encoded.endswith(b"\n") else encoded + b"=\r\n"


@lru_cache(maxsize=8)
def _date(moment: datetime) -> str:
    return format_datetime(moment)
