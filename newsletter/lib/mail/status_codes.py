"""Enhanced mail status codes (RFC 3463)."""

import re

#: From the registry: bad mailbox, bad domain, bad syntax, moved, no MX; disabled; no route to the domain.
_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])", re.ASCII)


def status_in(text: str) -> str:
    """Return the first enhanced status code in a text, or an empty string."""
    match = _STATUS.search(text)
    return match.group() if match else ""


def mailbox_gone(status: str) -> bool:
    """True if the code says that the mailbox does not exist. All other codes say less about the person."""
    return status in _GONE
