"""Check and convert the text of single settings.

A wrong one raises a `SettingsError` of one line, which names the setting and says what to write instead.
"""

import base64
import re
from collections.abc import Mapping
from email.errors import MessageError
from email.headerregistry import Address as MailAddress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.core.exceptions import ImproperlyConfigured

from newsletter.config import connection_urls
from newsletter.lib.mail import headers

#: What fits in a mail's header: with any other address of our pages, every mail would be rejected.
_IN_A_HEADER = re.compile(r"[!-;=?-~]{1,500}")


class SettingsError(ImproperlyConfigured):
    """A setting is wrong: the message names it and says what to write instead."""


def why(error: Exception) -> str:
    """Return the system's description of an error in lower case, without its arguments."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__).lower()


def parts(text: str) -> list[str]:
    """Split at commas and spaces."""
    return [part for part in re.split(r"[,\s]+", text) if part]


def split(name: str, text: str) -> SplitResult:
    """Split a URL that may hold a password."""
    try:
        return connection_urls.parse(text)
    except ValueError as error:
        raise SettingsError(f"NEWSLETTER_{name}: {error}") from None


def host_port(name: str, text: str) -> tuple[str, int]:
    """Parse HOST:PORT; the host is returned in lower case and without brackets."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]").lower()
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise SettingsError(f"NEWSLETTER_{name}: {text!r} is not HOST:PORT, for example 127.0.0.1:8000")
    return host, int(port)


def dns_server(text: str) -> tuple[str, int]:
    """Parse the address of a name server, with a port or without (then 53)."""
    try:
        return str(ip_address(text.strip("[]"))), 53
    except ValueError:
        host, port = host_port("DNS_SERVER", text)
    try:
        return str(ip_address(host)), port
    except ValueError:
        raise SettingsError(f"NEWSLETTER_DNS_SERVER: {host!r} is not an address, for example 9.9.9.9") from None


def selector(text: str) -> str:
    """Check the name of a DKIM key (RFC 6376, 3.1)."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", text):
        raise SettingsError(f"NEWSLETTER_DKIM_SELECTOR: {text!r} is not a selector, for example s1 or mail2026")
    return text.lower()


def networks(
    name: str, text: str, *, everybody: str = "name the addresses of your proxies only"
) -> list[IPv4Network | IPv6Network]:
    """Parse addresses and networks (`127.0.0.1`, `172.18.0.0/16`); IPv4 in IPv6 becomes IPv4.

    `everybody`: what to write instead of a network that holds all addresses.
    """
    checked: list[IPv4Network | IPv6Network] = []
    for part in parts(text):
        try:
            network = ip_network(part)
        except ValueError:
            raise SettingsError(
                f"NEWSLETTER_{name}: {part!r} is no address and no network, for example 127.0.0.1 or 172.18.0.0/16 "
                "(no bits set to the right of the /)"
            ) from None
        if network.prefixlen == 0:
            raise SettingsError(f"NEWSLETTER_{name}: {part!r} is everybody: {everybody}")
        mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
        checked.append(IPv4Network((mapped, network.prefixlen - 96)) if mapped and network.prefixlen > 96 else network)
    return checked


def switch(name: str, text: str) -> bool:
    """Check a setting that is on or off."""
    if text.lower() not in ("on", "off"):
        raise SettingsError(f"NEWSLETTER_{name}: write on or off")
    return text.lower() == "on"


def bearer(name: str, text: str) -> str:
    """Check that a token fits in an Authorization header (RFC 6750, 2.1)."""
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]*=*", text):
        raise SettingsError(
            f"NEWSLETTER_{name}: use letters, digits and - . _ ~ + / only, as 'openssl rand -hex 32' makes"
        )
    return text


def local_url(bind: tuple[str, int]) -> str:
    """Return the address of this service on its own machine."""
    host = "127.0.0.1" if bind[0] in ("0.0.0.0", "::") else bind[0]  # noqa: S104
    return f"http://[{host}]:{bind[1]}" if ":" in host else f"http://{host}:{bind[1]}"


def whole(name: str, text: str, *, least: int = 0, most: int) -> int:
    """Parse a whole number from `least` to `most`."""
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise SettingsError(f"NEWSLETTER_{name}: {text!r} is not a whole number from {least} to {most}")
    return int(text)


def level(text: str) -> str:
    """Check a log level."""
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsError(f"NEWSLETTER_LOG_LEVEL: {text!r} is not one of DEBUG, INFO, WARNING, ERROR")
    return text.upper()


def http_url(name: str, text: str) -> str:
    """Check the address of a web server; it is returned without the last slash."""
    url = split(name, text)
    if url.username is not None:
        raise SettingsError(f"NEWSLETTER_{name}: leave out the user and the password")
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
        raise SettingsError(f"NEWSLETTER_{name}: {text!r} is not a web address, for example https://news.example.org")
    if not _IN_A_HEADER.fullmatch(text):
        raise SettingsError(
            f"NEWSLETTER_{name}: write {text!r} without spaces and in plain letters, another script as xn--…"
        )
    return text.rstrip("/")


def public_key(text: str) -> EllipticCurvePublicKey:
    """Parse an ECDSA key on P-256 as SendGrid shows it: DER (SubjectPublicKeyInfo) in base64."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise SettingsError(
            "NEWSLETTER_SENDGRID_WEBHOOK_KEY: copy the verification key from SendGrid's mail settings, on one line; "
            "several with commas"
        )
    return key


def broker(url: str) -> str:
    """Check the address of a broker: memory, or Redis with or without TLS."""
    parts = split("BROKER_URL", url)
    if parts.scheme not in ("memory", "redis", "rediss"):
        raise SettingsError("NEWSLETTER_BROKER_URL: write redis://HOST:PORT/NUMBER, or memory:// for one process")
    if parts.scheme != "memory" and not re.fullmatch(r"/?|/[0-9]{1,5}/?", parts.path):
        raise SettingsError(
            "NEWSLETTER_BROKER_URL: after the port only the number of a Redis database can stand, for example /0"
        )
    return url


_NAMED = re.compile(r"\s*(?P<name>.*?)\s*<(?P<address>[^<>]*)>\s*", re.DOTALL)
_COMMENTED = re.compile(r"\s*(?P<address>[^\s()]+@[^\s()]+)\s*\((?P<name>.*)\)\s*", re.DOTALL)


def mailbox(text: str) -> tuple[str, str]:
    """Split `NAME <ADDRESS>`, `ADDRESS (NAME)` or a bare address into (name, address).

    The name is taken as typed: RFC 5322 asks for quotation marks around one with `@`, `:`, `,` or brackets, and people leave
    them out. Where they are, they and the backslashes in them are removed.
    """
    match = _NAMED.fullmatch(text) or _COMMENTED.fullmatch(text)
    if match is None:
        return "", text.strip()
    name = match["name"].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, match["address"].strip()


def sender(values: Mapping[str, str]) -> tuple[str, str, str]:
    """Return (name, address, contact address) of the sender."""
    name, address = mailbox(values["FROM"] or "Newsletter <newsletter@localhost>")
    contact = mailbox(values["CONTACT"])[1] or address
    for setting, text in (("FROM", address), ("CONTACT", contact)):
        try:
            parsed = MailAddress(addr_spec=text)
            headers.ascii_address(text)
        except (ValueError, IndexError, MessageError):
            parsed = None
        if parsed is None or not parsed.domain or not parsed.username:
            raise SettingsError(f"NEWSLETTER_{setting}: write an address such as digest@example.org") from None
    return name, address, contact
