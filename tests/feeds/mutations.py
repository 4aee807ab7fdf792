"""Feeds damaged at random, for the fuzzer and its short form in the suite."""

import random
import re
from collections.abc import Callable
from pathlib import Path

SAMPLES = tuple(path.read_bytes() for path in sorted((Path(__file__).parent.parent / "samples" / "feeds").iterdir()))
_ODDITIES = (
    *(
        b"\0",
        b"\xff\xfe",
        b"\x1b",
        b"&",
        b"&nbsp;",
        b"&#0;",
        b"&#x110000;",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"-->",
        b"<?xml?>",
    ),
    *(
        b"<!DOCTYPE rss>",
        b"<![x[",
        b"</item>",
        b"<item>",
        b"<",
        b">",
        b'"',
        b"xml:base='//x'",
        b"\xc3",
        b"\xe2\x80\xae",
        b"=?utf-8?q?x?=",
    ),
    *(
        b"javascript:",
        b"<svg><a xlink:href='javascript:1'>",
        b"<div>" * 400,
        b"1795456800",
        b"\xe2\x80\xa8",
        b"<title/>",
        b"\xc3\xa9",
    ),
)
_ENCODINGS = (
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp1251",
    "gb18030",
    "shift_jis",
    "koi8-r",
    "cp037",
    "utf-7",
    "latin-1",
)


def damaged(rng: random.Random) -> bytes:
    """One of our samples after one to four random mutations."""
    body = rng.choice(SAMPLES)
    for _ in range(rng.randint(1, 4)):
        body = rng.choice(_MUTATIONS)(body, rng)
    return body[:3_000_000]


def _flip(body: bytes, rng: random.Random) -> bytes:
    out = bytearray(body)
    for _ in range(rng.randint(1, 20) if out else 0):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def _truncate(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _insert(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.choice(_ODDITIES) + body[at:]


def _tags(body: bytes, rng: random.Random) -> bytes:
    """A tag dropped, doubled or moved."""
    tags = list(re.finditer(rb"<[^<>]{1,200}>", body))
    if not tags:
        return body
    one, other = rng.choice(tags), rng.choice(tags)
    kind = rng.randrange(3)
    if kind == 0:
        return body[: one.start()] + body[one.end() :]
    if kind == 1:
        return body[: one.start()] + one[0] + body[one.start() :]
    return body[: one.start()] + other[0] + body[one.end() :]


def _elements(body: bytes, rng: random.Random) -> bytes:
    """A whole element dropped, doubled or put elsewhere."""
    found = list(re.finditer(rb"<(\w[\w:]*)[^<>]*>[^<]*</\1>", body))
    if not found:
        return body
    one, other = rng.choice(found), rng.choice(found)
    return body[: one.start()] + rng.choice((b"", one[0] * 2, other[0])) + body[one.end() :]


def _encode(body: bytes, rng: random.Random) -> bytes:
    return body.decode("utf-8", "replace").encode(rng.choice(_ENCODINGS), "replace")


def _declare(body: bytes, rng: random.Random) -> bytes:
    head = f"<?xml version='1.0' encoding='{rng.choice(_ENCODINGS)}'?>".encode()
    return head + body if rng.random() < 0.3 else re.sub(rb"<\?xml[^>]*\?>", lambda _: head, body)


def _nest(body: bytes, rng: random.Random) -> bytes:
    at, many = rng.randrange(len(body) + 1), rng.choice((10, 1000, 20_000))
    tag = rng.choice((b"<b>", b"<item>", b"<title>", b"&lt;div&gt;", b"[", b"<x:y>"))
    return body[:at] + tag * many + body[at:]


def _swell(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + body[max(0, at - rng.randint(1, 300)) : at] * rng.choice((10, 100, 2000)) + body[at:]


def _splice(body: bytes, rng: random.Random) -> bytes:
    other = rng.choice(SAMPLES)
    return body[: rng.randrange(len(body) + 1)] + other[rng.randrange(len(other)) :]


_MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(
        _flip,
        _truncate,
        _insert,
        _insert,
        _tags,
        _tags,
        _elements,
        _elements,
        _elements,
        _encode,
        _declare,
        _nest,
        _swell,
        _splice,
    ),
)
