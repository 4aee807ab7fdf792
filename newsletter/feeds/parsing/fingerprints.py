"""Fingerprints of raw entries: an entry whose fingerprint is known need not be made safe and stored again."""

import hashlib
from collections.abc import Sequence

from newsletter.feeds.parsing.model import ENTRY_CAP

#: Raised when what becomes of an entry (safe HTML, cut, citations) changes so much that stored entries should be read again.
REVISION = 3
#: Bytes of a fingerprint. They are few, but an edit is overlooked with a chance of less than one in a billion billions.
SIZE = 8


def fingerprint(*fields: str) -> str:
    """The fingerprint of an entry with these fields, in hexadecimal digits."""
    words = f"{REVISION}" + "".join(f" {len(field)}:{field}" for field in fields)
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=SIZE).hexdigest()


def pack(fingerprints: Sequence[str]) -> bytes:
    """`fingerprints` as they are stored, those of as many entries as one fetch can have."""
    return bytes.fromhex("".join(fingerprints[:ENTRY_CAP]))


def unpack(packed: bytes) -> frozenset[str]:
    """The opposite of `pack`."""
    return frozenset(packed[start : start + SIZE].hex() for start in range(0, len(packed), SIZE))
