"""Other feed parsers, each as a function of a body; those that are not installed are left out."""

import importlib
import io
from collections.abc import Callable

import feedparser

#: Packages outside our lock that are measured where they are installed, and how each parses bytes.
OPTIONAL: dict[str, str] = {"fastfeedparser": "parse", "atoma": "parse_rss_bytes"}


def safe_feedparser(body: bytes) -> int:
    """feedparser as it comes: with its own sanitiser and relative links resolved. The number of entries."""
    return len(feedparser.parse(io.BytesIO(body)).entries)


def bare_feedparser(body: bytes) -> int:
    """feedparser with both switched off: nothing is made safe."""
    return len(feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False).entries)


def optional() -> tuple[dict[str, Callable[[bytes], object]], list[str]]:
    """The optional parsers that are installed, by name, and the names of those that are not."""
    found: dict[str, Callable[[bytes], object]] = {}
    missing = []
    for name, function in OPTIONAL.items():
        try:
            found[name] = getattr(importlib.import_module(name), function)
        except ImportError:
            missing.append(name)
    return found, missing
