"""DKIM: whether the keys under the known selectors are there and strong enough (RFC 6376, RFC 8301)."""

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.dns_check.finding import DnsFinding, bad, good, warn
from newsletter.dns_check.lookup import Lookup, LookupFailed
from newsletter.dns_check.sender import CheckedSender

#: SendGrid's domain authentication names its keys so.
SENDGRID_SELECTORS: Final = ("s1", "s2")
_WEAK, _ADVISED = 1024, 2048


def check_dkim(sender: CheckedSender, lookup: Lookup) -> Iterator[DnsFinding]:
    """One finding for each selector; a single one where none is known."""
    selectors = sender.selectors or (SENDGRID_SELECTORS if sender.carried_by("sendgrid") else ())
    if not selectors:
        yield warn(
            "DKIM",
            "which selector your mail server signs with cannot be known from here",
            "set NEWSLETTER_DKIM_SELECTOR to the s= of the DKIM-Signature in a mail that arrived",
        )
    for selector in selectors:
        yield _key(selector, sender, lookup)


def _key(selector: str, sender: CheckedSender, lookup: Lookup) -> DnsFinding:
    name = f"{selector}._domainkey.{sender.domain}"
    what = f"DKIM {selector}"
    try:
        texts = lookup.txt(name)
    except LookupFailed as error:
        return warn(what, f"could not be looked up: {error}", "try again")
    tags = next((tags for text in texts if "p" in (tags := read_tags(text))), None)
    if tags is None:
        return _missing(what, name, sender)
    if not tags["p"]:
        return bad(what, f"the key at {name} was withdrawn (p= is empty)", "publish the key that mails are signed with")
    if "y" in tags.get("t", "").split(":"):
        return warn(what, "the key says that it is only tested (t=y)", "take t=y out of the record")
    if tags.get("k", "rsa") != "rsa":
        return good(what, f"a key ({tags['k']}) is there")
    return _strength(what, _bits(tags["p"]))


def _missing(what: str, name: str, sender: CheckedSender) -> DnsFinding:
    if sender.selectors:
        return bad(what, f"there is no key at {name}", "publish it, or correct NEWSLETTER_DKIM_SELECTOR")
    return bad(
        what,
        f"there is no key at {name}, SendGrid's usual place",
        "finish the domain authentication in SendGrid; if your account names other selectors, set NEWSLETTER_DKIM_SELECTOR",
    )


def _strength(what: str, bits: int | None) -> DnsFinding:
    if bits is None:
        return bad(what, "the key cannot be read", "publish it again, as one value in base64")
    if bits < _WEAK:
        return bad(what, f"the key has {bits} bits: receivers ignore it", f"make a new one of {_ADVISED} bits")
    if bits < _ADVISED:
        return warn(what, f"the key has {bits} bits", f"make a new one of {_ADVISED} bits when you can")
    return good(what, f"a key of {bits} bits is there")


def _bits(text: str) -> int | None:
    """The length of an RSA key in base64. Returns None if it is none."""
    try:
        key = load_der_public_key(base64.b64decode("".join(text.split())))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, RSAPublicKey) else None


def read_tags(text: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record: `v=DMARC1; p=none` → {"v": "DMARC1", "p": "none"}."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}
