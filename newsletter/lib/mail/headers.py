"""Mail headers: which values fit in one, how they are folded, and which headers every mail has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from email.policy import EmailPolicy
from functools import lru_cache
from typing import Final, NamedTuple

from newsletter.lib.mail.placeholders import JOINER, defuse
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel, Parcels

#: C0, C1, DEL, line and paragraph separators, and halves of surrogate pairs.
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)
_MESSAGE_ID = re.compile(r"[\w.+=-]{1,200}@[A-Za-z0-9.-]{1,253}", re.ASCII)
_URL = re.compile(r"https?://[!-;=?-~]{1,900}")  # printable ASCII without < > and spaces
_NEVER_FOLDED = frozenset({"list-unsubscribe", "list-unsubscribe-post", "list-id", "list-help", "message-id"})
#: RFC 8058: a POST to the URL of List-Unsubscribe unsubscribes.
ONE_CLICK: Final = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


class NotMailable(ValueError):
    """No mail can be made of this. The message names the part that is wrong and never shows it."""


@dataclass(frozen=True)
class SenderIdentity:
    """Who mails are from. `contact` is the Reply-To, a person; `base_url` is the address of our pages."""

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
    """Folds headers without the standard library, which breaks List-* headers and can be tricked into making new ones.

    List-* and Message-ID stay on one line. Other values that are not ASCII become encoded words (RFC 2047) as a whole.
    """

    def fold(self, name: str, value: str) -> str:
        """Return the header as lines of at most 998 characters, each with CRLF.

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


#: CRLF; body lines of at most 76 characters (quoted-printable keeps to that).
POLICY = MailPolicy(linesep="\r\n", cte_type="7bit", max_line_length=76)


def header_text(text: str, limit: int = 200) -> str:
    """Make untrusted text fit for a header: one line of at most `limit` characters, no control characters or encoded words."""
    line = _NOT_IN_A_HEADER.sub(" ", text).strip()
    line = defuse(line).replace("=?", f"={JOINER}?")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def ascii_address(address: str) -> str:
    """Return a sender's address with its domain in ASCII (RFC 5890).

    Raises:
        NotMailable: it is not `local@domain` with an ASCII local part.
    """
    plain = _ascii_domain(address)
    if not _ADDRESS.fullmatch(plain):
        raise NotMailable("the sender's address is not one that can send mail")
    return plain


def recipient(address: Address) -> str:
    """Return the one address of a parcel, fit for the envelope and for a header.

    Raises:
        NotMailable: it is not one plain ASCII address.
    """
    if not _ADDRESS.fullmatch(address.value):
        raise NotMailable("the address is not one that mail can be sent to")
    return address.value


class HeaderFields(NamedTuple):
    """A parcel's values in headers. None of them can end a line, a word or a pair of brackets."""

    address: str
    message_id: str
    unsubscribe: str | None

    @classmethod
    def of(cls, parcel: Parcel) -> "HeaderFields":
        """Check the values of a parcel; the domain of the Message-ID is put in ASCII.

        Raises:
            NotMailable: one of them does not fit in a header.
        """
        message_id, unsubscribe = parcel.message_id, parcel.unsubscribe
        if not message_id.isascii():
            message_id = _ascii_domain(message_id)
        if not _MESSAGE_ID.fullmatch(message_id):
            raise NotMailable("the Message-ID is not fit for a header")
        if unsubscribe is not None and not _URL.fullmatch(unsubscribe):
            raise NotMailable("the one-click URL is not fit for a header")
        return cls(recipient(parcel.address), message_id, unsubscribe)


#: The fields of `HeaderFields` as columns.
HeaderColumns = tuple[Sequence[str], Sequence[str], Sequence[str | None]]


def header_columns(parcels: Parcels) -> HeaderColumns:
    """As `HeaderFields.of` for all parcels at once: the addresses, Message-IDs and one-click URLs as columns.

    Raises:
        NotMailable: one of them does not fit in a header.
    """
    addresses, message_ids, unsubscribe = parcels.addresses, parcels.message_ids, parcels.unsubscribe
    urls = [url for url in unsubscribe if url is not None]
    if _all_match(_ADDRESS, addresses) and _all_match(_MESSAGE_ID, message_ids) and _all_match(_URL, urls):
        return addresses, message_ids, unsubscribe
    fields = [HeaderFields.of(parcel) for parcel in parcels]
    return [field.address for field in fields], [field.message_id for field in fields], unsubscribe


def _all_match(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    """True if every value matches the pattern, which allows no line end; as lines of one text they take half the time."""
    text = "\n".join([*values, ""])
    return text.count("\n") == len(values) and _lines_of(pattern).fullmatch(text) is not None


@lru_cache
def _lines_of(pattern: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:(?>{pattern.pattern})\n)*+", pattern.flags)


def shared_headers(letter: Letter, sender: SenderIdentity) -> dict[str, str]:
    """Return the headers that tell what kind of mail a letter is."""
    headers = {"Auto-Submitted": "auto-generated"}
    if letter.kind != "notice":
        headers["List-Id"] = f"<updates.{sender.domain}>"
        headers["Precedence"] = "bulk"
    return headers


def _ascii_domain(text: str) -> str:
    local, _, domain = text.rpartition("@")
    try:
        return text if text.isascii() else f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return ""


def mailbox(name: str, address: str) -> str:
    """Return `NAME <ADDRESS>` for a From header; the name as encoded words where it is not ASCII.

    Raises:
        NotMailable: the address cannot send mail.
    """
    plain = header_text(name, 80)
    if not plain:
        return ascii_address(address)
    if not plain.isascii():
        words = Header(plain, "utf-8", maxlinelen=76, header_name="From").encode(linesep="")
        return f"{words} <{ascii_address(address)}>"
    escaped = re.sub(r'(["\\])', r"\\\1", plain)
    return f'"{escaped}" <{ascii_address(address)}>'
