"""Content codings undone as the bytes arrive, with a cap on what comes out (RFC 9110 section 8.4)."""

import zlib
from typing import Protocol

#: What we ask for and undo. Others (brotli, zstd, two codings at once) are refused.
CODINGS = ("gzip", "x-gzip", "deflate")


class TooLarge(Exception):
    """More bytes came out than the cap allows."""


class Undecodable(Exception):
    """A coding that we did not ask for, or broken data."""


class _Inflater(Protocol):
    """What zlib's decompression objects have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Body:
    """Collects a body; `cap` is the greatest number of decoded bytes."""

    def __init__(self, coding: str, cap: int) -> None:
        """`coding` is the Content-Encoding header's value, possibly empty.

        Raises:
            Undecodable: not one of `CODINGS`.
        """
        self._coding = coding.strip().lower()
        if self._coding not in ("", "identity", *CODINGS):
            raise Undecodable(f"it is encoded as {self._coding[:40]!r}, which was not asked for")
        self._cap = cap
        self._out = bytearray()
        self._inflater: _Inflater | None = None

    def add(self, chunk: bytes) -> None:
        """The next bytes as they came.

        Raises:
            TooLarge, Undecodable.
        """
        if self._coding in ("", "identity"):
            self._keep(chunk)
            return
        while chunk:
            inflater = self._inflater or self._start(chunk)
            self._inflater = inflater
            try:
                # one byte above the cap tells "too large" apart from "just fits"
                self._keep(inflater.decompress(chunk, self._cap - len(self._out) + 1))
            except zlib.error as error:
                raise Undecodable("its compressed data is broken") from error
            if inflater.eof:
                self._inflater = None
                # a second gzip member may follow; padding of zeros is usual
                chunk = inflater.unused_data.lstrip(b"\0")
            else:
                chunk = inflater.unconsumed_tail

    def decoded(self) -> bytes:
        """All that came out."""
        return bytes(self._out)

    def _start(self, first: bytes) -> _Inflater:
        if self._coding == "deflate":
            # RFC 9110 means zlib's format, but some servers send the bare stream
            zlib_header = len(first) > 1 and first[0] & 0x0F == 8 and (first[0] << 8 | first[1]) % 31 == 0
            return zlib.decompressobj(15 if zlib_header else -15)
        return zlib.decompressobj(31)

    def _keep(self, decoded: bytes) -> None:
        if len(self._out) + len(decoded) > self._cap:
            raise TooLarge(f"it is larger than {self._cap // 1_000_000} MB")
        self._out += decoded
