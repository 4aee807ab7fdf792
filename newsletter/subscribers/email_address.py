"""Parse email addresses as people type them, and compute the index under which they are looked up."""

import string

from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address

#: Invisible characters: keyboards for right-to-left scripts and copying from pages put them around an address.
_INVISIBLE = "".join(
    map(chr, (0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF))
)
#: RFC 5321 section 4.5.3.1.3: a path has 256 octets, two of them the angle brackets.
LONGEST = 254


class InvalidAddress(ValueError):
    """Mail cannot be sent to this address. The message says why, and never repeats the address."""


def parse_address(text: str, *, test_domains: bool = False) -> Address:
    """Parse and normalize an address: domain in lower-case ASCII (IDNA 2008), local part as it was written.

    Removes invisible characters and spaces around it, and reads a full-width at sign as a plain one. Refuses quoted local
    parts, comments, display names, IP literals and non-ASCII local parts: mail servers disagree about them. `test_domains`
    allows RFC 6761's `.test`.

    Raises:
        InvalidAddress: with words for the person who typed it.
    """
    from email_validator import EmailNotValidError, validate_email  # slow to import, and most commands read no address

    text = text.strip(_INVISIBLE + string.whitespace + "\u00a0\u3000").replace("＠", "@")
    if not text:
        raise InvalidAddress("Enter an email address, such as name@example.org.")
    if any(char in _INVISIBLE for char in text):
        raise InvalidAddress("This address contains an invisible character. Type it by hand instead of pasting it.")
    if text.count("@") != 1:
        raise InvalidAddress("An email address has exactly one @ sign, as in name@example.org.")
    if len(text) > LONGEST:
        raise InvalidAddress("This email address is too long.")
    if "=?" in text:
        # an encoded word (RFC 2047) in a header: some versions of Python decode it, line breaks and all
        raise InvalidAddress("This does not look like an email address. Check it for typing errors.")
    try:
        parsed = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            strict=True,
            test_environment=test_domains,
        )
    except EmailNotValidError as error:
        raise InvalidAddress(_problem(text, error)) from None
    if not parsed.ascii_email or len(parsed.ascii_email) > LONGEST:
        raise InvalidAddress("This email address is too long.")
    return Address(f"{parsed.ascii_local_part}@{(parsed.ascii_domain or '').lower()}")


def index_of(address: Address, vault: Vault) -> bytes:
    """The blind index of an address: the same in upper and lower case."""
    return vault.blind_index("address", address.value.casefold())


def _problem(text: str, error: ValueError) -> str:
    """Our own message: the library's may quote what was typed."""
    local, _, domain = text.partition("@")
    if not local or not domain:
        return "Write a name before the @ sign and a domain after it, as in name@example.org."
    if not local.isascii():
        return "Only plain letters, digits and signs can stand before the @ sign."
    if "special-use" in str(error):
        return "The part after the @ sign is reserved: no mail can reach it."
    if type(error).__name__ == "EmailSyntaxError" and "period" in str(error):
        return "The part after the @ sign needs a dot, as in example.org."
    return "This does not look like an email address. Check it for typing errors."
