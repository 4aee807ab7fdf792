"""Decompress a body as its bytes arrive, with a cap on what comes out (RFC 9110 section 8.4).

The header is a hint only: the bytes show whether they are compressed, and how. Names that are no coding (`UTF-8`, `none`,
`aws-chunked`) are ignored, and so is a coding that was never applied.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Protocol

#: Codings that are asked for and decoded.
CODINGS = ("gzip", "x-gzip", "deflate")
#: Codings one inside the other that are decoded.
LAYERS = 3
#: Bytes that decide whether data is plain text or compressed.
HEAD = 512
_GZIP, _ZLIB = b"\x1f\x8b\x08", re.compile(rb"\x78[\x01\x9c\xda]")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class TooLarge(Exception):
    """The decoded body is larger than the cap allows."""


class Undecodable(Exception):
    """The data is broken, or in a coding that was not asked for."""


class _Inflater(Protocol):
    """What zlib's decompression objects have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class BoundedDecompressor:
    """Decodes a body of at most `cap` decoded bytes."""

    def __init__(self, coding: str, cap: int) -> None:
        """`coding` is the Content-Encoding header's value, possibly empty."""
        names = [name.strip().lower() for name in coding.split(",")]
        self._deflate = "deflate" in names
        self._foreign = ", ".join(name for name in names if name not in ("", "identity", *CODINGS))
        self._claimed = any(name not in ("", "identity") for name in names)
        self._cap = cap
        self._head = b""
        self._layers: list[_Layer] | None = None
        self._out = bytearray()

    def add(self, chunk: bytes) -> None:
        """Decode the next bytes of the body.

        Raises:
            TooLarge: the decoded body is larger than the cap.
            Undecodable: the data is broken, or in a coding that was not asked for.
        """
        if self._layers is None:
            self._head += chunk
            if len(self._head) < HEAD:
                return
            chunk = self._begin()
        self._decode(chunk, self._layers or [])

    def decoded(self) -> bytes:
        """Return the whole decoded body. Raises as `add`."""
        if self._layers is None:
            self._decode(self._begin(), self._layers or [])
        return bytes(self._out)

    def _begin(self) -> bytes:
        """Detect the coding by the first bytes, and return these."""
        head, self._head = self._head, b""
        inflater = _inflater(head, deflate=self._deflate)
        if inflater is None and self._claimed and not is_plain(head):
            if self._foreign:
                raise Undecodable(f"it is encoded as {self._foreign[:40]!r}, which was not asked for")
            raise Undecodable("its compressed data is broken")
        self._layers = [_Layer(inflater)] if inflater else []
        return head

    def _decode(self, data: bytes, layers: list["_Layer"]) -> None:
        """Decode `layers` one after the other; what comes out of the last may be compressed again."""
        if not layers:
            self._keep(data)
            return
        first, *rest = layers
        for piece in first.inflate(data, self._cap - len(self._out) + 1):
            if not first.begun:
                first.begun = True
                inner = _inflater(piece, deflate=False)
                if inner is not None and self._layers is not None and len(self._layers) < LAYERS:
                    rest = [_Layer(inner)]
                    self._layers += rest
            self._decode(piece, rest)

    def _keep(self, decoded: bytes) -> None:
        if len(self._out) + len(decoded) > self._cap:
            raise TooLarge(f"it is larger than {self._cap // 1_000_000} MB")
        self._out += decoded


class _Layer:
    """One coding that is being decoded."""

    def __init__(self, inflater: _Inflater) -> None:
        self._inflater: _Inflater | None = inflater
        self._tail = b""
        #: Whether something came out of it.
        self.begun = False

    def inflate(self, data: bytes, most: int) -> Iterator[bytes]:
        """Yield what `data` decodes to, in pieces of at most `most` bytes."""
        while data:
            if self._inflater is None:
                data = self._next_member(data)
                continue
            try:
                piece = self._inflater.decompress(data, most)
            except zlib.error as error:
                raise Undecodable("its compressed data is broken") from error
            if piece:
                yield piece
            if self._inflater.eof:
                data, self._inflater = self._inflater.unused_data, None
            else:
                data = self._inflater.unconsumed_tail

    def _next_member(self, data: bytes) -> bytes:
        """Begin the next gzip member, if one follows, and return its data; padding and anything else after the end is dropped."""
        self._tail = (self._tail + data).lstrip(b"\0")
        if not self._tail.startswith(_GZIP):
            self._tail = self._tail[: len(_GZIP)]
            return b""
        self._inflater = zlib.decompressobj(31)
        data, self._tail = self._tail, b""
        return data


def is_plain(head: bytes) -> bool:
    """Return True if a body begins like text, in whatever encoding, and not like compressed data."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<\0" in head[:8] or b"\0<" in head[:8]:
        return True
    return not _CONTROLS.search(head) and not head.startswith(b"\x28\xb5\x2f\xfd")


def _inflater(head: bytes, *, deflate: bool) -> _Inflater | None:
    """Return a decoder for the coding of `head`; None for plain data. `deflate`: the header names it."""
    if head.startswith(_GZIP):
        return zlib.decompressobj(31)
    if _ZLIB.match(head) or (deflate and len(head) > 1 and head[0] == 0x78 and (head[0] << 8 | head[1]) % 31 == 0):
        return zlib.decompressobj(15)
    # RFC 9110 means zlib's format, but some servers send the bare stream
    return zlib.decompressobj(-15) if deflate and head and not is_plain(head) else None
