"""A message put together: encoded once for a letter, joined from byte parts for each person."""

import binascii
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import Header
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from typing import Final, NamedTuple

from newsletter.lib.provider_interface import Address, Letter, Parcel, Parcels

#: Personal places of a letter: the page to unsubscribe, the page that mails a fresh preferences link, the mail's
#: reference, and a notice's own page.
PLACES = ("unsubscribe", "ask", "reference", "link")

_PLACE = re.compile(rf"@@nl-({'|'.join(PLACES)})@@")
_JOINER = "\u2060"  # WORD JOINER: has no width and forbids a line break
_ENCODED_WORD = re.compile(r"=\?(?=[^\s?]*\?[bBqQ]\?)")
#: C0, C1, DEL, line and paragraph separators, and halves of surrogate pairs.
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)
_MESSAGE_ID = re.compile(r"[\w.+=-]{1,200}@[A-Za-z0-9.-]{1,253}", re.ASCII)
_URL = re.compile(r"https?://[!-;=?-~]{1,900}")  # printable ASCII without < > and spaces
_LEADING_DOTS = re.compile(rb"(?m)^\.+")
#: What both HTML and quoted-printable leave as it is, on one line: most links and references.
_AS_IT_IS = re.compile(r"(?!\.)[\w:/.?-]{0,74}", re.ASCII)
_NEVER_FOLDED = frozenset({"list-unsubscribe", "list-unsubscribe-post", "list-id", "list-help", "message-id"})
#: An `=_` can never stand in quoted-printable text, so no body can hold this.
_BOUNDARY = "=_nl-part"
#: RFC 8058: with it, a POST to the URL of List-Unsubscribe is enough.
ONE_CLICK: Final = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
_ONE_CLICK_LINE = "".join(f"{name}: {value}\r\n" for name, value in ONE_CLICK.items())
#: Fixed bytes, or the name of a place and whether it is one in HTML.
_Piece = bytes | tuple[str, bool]


class NotMailable(ValueError):
    """A mail cannot be put together from this. Says which part is wrong and never shows it."""


@dataclass(frozen=True)
class Sender:
    """Who mails come from. `contact` is the Reply-To, a human; `base_url` is where our pages are."""

    name: str
    address: str
    organisation: str
    contact: str
    base_url: str

    @property
    def domain(self) -> str:
        """The domain of the sender's address, in ASCII."""
        return ascii_address(self.address).rpartition("@")[2]


class MailPolicy(EmailPolicy):
    """Writes headers by our own means: the standard library's folding breaks List-* and can be talked into new headers.

    List-* and Message-ID stay on one line as they are; other text that is not ASCII becomes encoded words as a whole.
    """

    def fold(self, name: str, value: str) -> str:
        """The header as lines of at most 998 characters, CRLF at the end.

        Raises:
            NotMailable: the value holds a line break or another control character, or is too long.
        """
        text = str(value)
        if _NOT_IN_A_HEADER.search(text.replace(" ", "")):
            raise NotMailable(f"{name} holds a control character")
        if name.lower() not in _NEVER_FOLDED:
            charset = "us-ascii" if text.isascii() else "utf-8"
            text = Header(text, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")
        lines = f"{name}: {text}\r\n"
        if not lines.isascii() or max(map(len, lines.split("\r\n"))) > 998:
            raise NotMailable(f"{name} does not fit in a header")
        return lines

    def fold_binary(self, name: str, value: str) -> bytes:
        """As `fold`, in ASCII bytes."""
        return self.fold(name, value).encode("ascii")


#: Headers as `MailPolicy` says; CRLF; body lines of at most 76 characters (quoted-printable sees to that).
POLICY = MailPolicy(linesep="\r\n", cte_type="7bit", max_line_length=76)


def place(name: str) -> str:
    """What stands in a letter where a personal value goes; `name` is one of PLACES."""
    if name not in PLACES:
        raise ValueError(f"{name} is not one of {', '.join(PLACES)}")
    return f"@@nl-{name}@@"


def defuse(text: str) -> str:
    """Untrusted text in which neither a personal place nor an encoded word (RFC 2047) can be read."""
    return _ENCODED_WORD.sub(f"={_JOINER}?", text.replace("@@nl-", f"@{_JOINER}@nl-"))


def header_text(text: str, limit: int = 200) -> str:
    """Untrusted text on one line, fit for a header: no control characters, nothing that decodes, at most `limit` long."""
    line = _NOT_IN_A_HEADER.sub(" ", text).strip()
    line = defuse(line).replace("=?", f"={_JOINER}?")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def ascii_address(address: str) -> str:
    """A sender's address with its domain in ASCII (RFC 5890).

    Raises:
        NotMailable: it is not `local@domain` with an ASCII local part.
    """
    plain = _ascii_domain(address)
    if not _ADDRESS.fullmatch(plain):
        raise NotMailable("the sender's address is not one that can send mail")
    return plain


def recipient(address: Address) -> str:
    """The one address a parcel goes to, as it may stand in an envelope or a header.

    Raises:
        NotMailable: it is not one plain ASCII address.
    """
    if not _ADDRESS.fullmatch(address.value):
        raise NotMailable("the address is not one that mail can be sent to")
    return address.value


class Own(NamedTuple):
    """What of a parcel stands in headers, each part fit for one: nothing in it can end a line, a word or a pair of brackets."""

    address: str
    message_id: str
    unsubscribe: str | None

    @classmethod
    def of(cls, parcel: Parcel) -> "Own":
        """The address, the Message-ID with its domain in ASCII, the one-click URL.

        Raises:
            NotMailable: one of them is not what it should be.
        """
        message_id, unsubscribe = parcel.message_id, parcel.unsubscribe
        if not message_id.isascii():
            message_id = _ascii_domain(message_id)
        if not _MESSAGE_ID.fullmatch(message_id):
            raise NotMailable("the Message-ID is not fit for a header")
        if unsubscribe is not None and not _URL.fullmatch(unsubscribe):
            raise NotMailable("the one-click URL is not fit for a header")
        return cls(recipient(parcel.address), message_id, unsubscribe)


#: A column of each part of `Own`.
Owns = tuple[Sequence[str], Sequence[str], Sequence[str | None]]


def owns(parcels: Parcels) -> Owns:
    """What `Own.of` gives for each parcel: a column of addresses, of Message-IDs, and of one-click URLs.

    Raises:
        NotMailable: one of them is not what it should be.
    """
    addresses, message_ids, unsubscribe = parcels.addresses, parcels.message_ids, parcels.unsubscribe
    urls = [url for url in unsubscribe if url is not None]
    if _all_are(_ADDRESS, addresses) and _all_are(_MESSAGE_ID, message_ids) and _all_are(_URL, urls):
        return addresses, message_ids, unsubscribe
    one_by_one = [Own.of(parcel) for parcel in parcels]
    return [own.address for own in one_by_one], [own.message_id for own in one_by_one], unsubscribe


def _all_are(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    """Whether each fits the pattern, in which no line end may stand: as lines of one text they are read in half the time."""
    text = "\n".join([*values, ""])
    return text.count("\n") == len(values) and _lines_of(pattern).fullmatch(text) is not None


@lru_cache
def _lines_of(pattern: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:(?>{pattern.pattern})\n)*+", pattern.flags)


def places(text: str) -> tuple[str, ...]:
    """The names of the personal places in a text, in the order in which they first come."""
    return tuple(dict.fromkeys(_PLACE.findall(text)))


def no_value(name: str) -> NotMailable:
    """A place of the letter for which the parcel has no words."""
    return NotMailable(f"the personal place {name} has no value")


def shared_headers(letter: Letter, sender: Sender) -> dict[str, str]:
    """The headers that say what kind of mail a letter is."""
    found = {"Auto-Submitted": "auto-generated"}
    if letter.kind != "notice":
        found["List-Id"] = f"<updates.{sender.domain}>"
        found["Precedence"] = "bulk"
    return found


def _ascii_domain(text: str) -> str:
    local, _, domain = text.rpartition("@")
    try:
        return text if text.isascii() else f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return ""


@dataclass(frozen=True)
class Prepared:
    """A letter ready to be joined with each person's parts."""

    #: All that is fixed, and nothing where a personal part goes.
    _pieces: tuple[bytes, ...] = field(repr=False)
    #: Each place, and where its words go as text and as HTML, counted with what stands before all pieces.
    _places: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = field(repr=False)

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
        own = Own.of(parcel)
        lines = f"To: {own.address}\r\nDate: {_date(date)}\r\nMessage-ID: <{own.message_id}>\r\n"
        if own.unsubscribe is not None:
            lines += f"List-Unsubscribe: <{own.unsubscribe}>\r\n{_ONE_CLICK_LINE}"
        parts, personal = [lines.encode("ascii"), *self._pieces], parcel.personal
        for name, in_text, in_html in self._places:
            try:
                value = personal[name]
            except KeyError:
                raise no_value(name) from None
            if _AS_IT_IS.fullmatch(value):
                text = markup = value.encode("ascii") + b"=\r\n"
            else:
                text, markup = _open_ended(value), _open_ended(html.escape(value))
            for position in in_text:
                parts[position] = text
            for position in in_html:
                parts[position] = markup
        return parts


def prepare(letter: Letter, sender: Sender) -> Prepared:
    """Encode what all mails of a letter share: once per letter, however many people get it.

    Raises:
        NotMailable: the sender cannot stand in a header.
    """
    shared = {
        "From": _mailbox(sender.name, sender.address),
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
    sender = Sender(hostile, "digest@example.org", hostile, "editor@example.org", "https://example.org")
    letter = Letter(0, "alert", hostile, hostile, hostile)
    parcel = Parcel(0, Address("reader@example.org"), letter, {}, "a@example.org", "a", "https://example.org/a")
    raw = prepare(letter, sender).message(parcel, datetime(2026, 1, 1, tzinfo=UTC))
    expected = ["From", "To", "Subject", "Date", "Reply-To", "MIME-Version", "Content-Type"]
    own = ["Message-ID", "List-Unsubscribe", *ONE_CLICK, *shared_headers(letter, sender)]
    return sorted(message_from_bytes(raw).keys()) == sorted([*expected, *own])


def _mailbox(name: str, address: str) -> str:
    plain = header_text(name, 80)
    if not plain:
        return ascii_address(address)
    if not plain.isascii():
        words = Header(plain, "utf-8", maxlinelen=76, header_name="From").encode(linesep="")
        return f"{words} <{ascii_address(address)}>"
    escaped = re.sub(r'(["\\])', r"\\\1", plain)
    return f'"{escaped}" <{ascii_address(address)}>'


def _part(subtype: str, text: str, *, in_html: bool) -> list[_Piece]:
    """A text part: its headers, and its body cut at the places, each of which begins on a line of its own."""
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    pieces = _PLACE.split(text)
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
