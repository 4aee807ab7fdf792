"""URLs of servers that hold a password: a database, a broker, a mail server."""

from urllib.parse import SplitResult, urlsplit

ENCODE = "write signs in the user and the password percent-encoded: / as %2F, # as %23, ? as %3F, @ as %40, % as %25"


def parse(text: str) -> SplitResult:
    """Split `scheme://USER:PASSWORD@HOST:PORT/…` into its parts (RFC 3986).

    A bare `/`, `#` or `?` in a password ends the part that holds the host, and what is left reads as a wrong host, port or path.

    Raises:
        ValueError: says what is wrong, and shows no part of the URL.
    """
    try:
        parts = urlsplit(text)
    except ValueError:  # its own message may quote the password
        raise ValueError(f"this is not a URL: check the host and its brackets, and {ENCODE}") from None
    if parts.netloc and "@" in parts.path + parts.query + parts.fragment:
        raise ValueError(f"the user or the password ends too early: {ENCODE}")
    if parts.netloc and parts.fragment:
        raise ValueError(f"nothing may stand after #: {ENCODE}")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(f"the port must be a number from 1 to 65535; if it is, {ENCODE}") from None
    return parts
