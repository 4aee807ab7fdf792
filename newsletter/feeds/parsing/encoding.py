"""Decode a feed: detect its real encoding, whatever it or its server declare."""

import codecs
import re

from newsletter.feeds.parsing import encoding_guess

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})["']""")
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_LANGUAGE = re.compile(
    rb"""(?:xml:lang\s*=\s*["']|<(?:dc:)?language>\s*|<html[^>]{0,200}?lang\s*=\s*["'])([A-Za-z]{2,3})\b"""
)
_MARKUP = re.compile(rb"<[?!a-zA-Z]|[{\[]\s*\"")
#: Supersets that decode what is really sent under the narrower name.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "koi8-r": "koi8_u",
    "koi8-u": "koi8_u",
    "iso8859-2": "iso8859_2",
}
#: How much a declaration counts beside how sensible the text is; one that is mostly a default counts less.
_DECLARED_BONUS, _DECLARED_LATIN_BONUS, _LANGUAGE_BONUS = 0.35, 0.1, 0.3


def decode(body: bytes, content_type: str) -> str:
    """The text of `body`, served with the Content-Type header `content_type`. Undecodable bytes become U+FFFD.

    A byte order mark wins; then UTF-16 by its zeros and UTF-8 if the bytes are valid as such (other encodings practically never
    are by chance); then whichever of what is declared and of the usual encodings makes the most sensible words.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            text = _utf8(body) if name == "utf-8" else ""
            text = text or body.decode(name, "replace")
            if name == "utf-8" or not _MARKUP.search(body) or _MARKUP.search(text[:2000].encode(errors="replace")):
                return text.lstrip("\ufeff")
            return decode(body[len(mark) :], content_type)  # a mark of two-byte characters before one-byte ones
    wide = _utf16(body[:400])
    if wide:
        return body.decode(wide, "replace")
    declared = [name for name in map(_codec_name, _declared_names(body, content_type)) if name]
    for name in declared:
        if name.startswith(("iso2022", "hz")):
            return body.decode(name, "replace")
    return _utf8(body) or body.decode(_best(body, declared), "replace")


def _utf16(head: bytes) -> str:
    """UTF-16 without a byte order mark: every other byte of its markup is zero."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half > 3 and odd > half / 3 and even < odd / 10:
        return "utf-16-le"
    return "utf-16-be" if half > 3 and even > half / 3 and odd < even / 10 else ""


def _utf8(body: bytes) -> str:
    """`body` as UTF-8, perhaps cut off in a character or with a few bytes of windows-1252; empty when it is something else."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        if error.start > len(body) - 4 and error.reason == "unexpected end of data":
            return body[: error.start].decode()
    text = body.decode(errors="surrogateescape")
    broken = sum("\udc80" <= char <= "\udcff" for char in text)
    good = sum(char > "\x7f" for char in text) - broken
    if good < 4 * broken:
        return ""
    return re.sub("[\udc80-\udcff]", lambda hit: _as_1252(hit[0]), text)


def _as_1252(escaped: str) -> str:
    return bytes([ord(escaped) - 0xDC00]).decode("cp1252", "replace")


def _best(body: bytes, declared: list[str]) -> str:
    words = encoding_guess.sample(body)
    language = _LANGUAGE.search(body[:3000])
    likely = encoding_guess.LANGUAGES.get(language[1].decode().lower(), ()) if language else ()

    # a declaration counts more where there is little to judge by
    trust = 1 + 4 / (sum(byte > 0x7F for byte in words) or 1)

    def score(name: str) -> float:
        bonus = (
            trust * (_DECLARED_LATIN_BONUS if name == "cp1252" else _DECLARED_BONUS)
            if name in (declared or ["cp1252"])
            else 0.0
        )
        return encoding_guess.plausibility(words, name) + bonus + (_LANGUAGE_BONUS if name in likely else 0.0)

    return max((*[name for name in declared if name != "utf-8"], *encoding_guess.CANDIDATES), key=score)


def _declared_names(body: bytes, content_type: str) -> list[str]:
    """The encodings that are named: in each XML declaration (there may be two), by HTML, and by the server."""
    head = body[:2000]
    named = [hit[1].decode("ascii", "replace") for pattern in (_DECLARED, _META) for hit in pattern.finditer(head)]
    served = _CHARSET.search(content_type)
    return named + ([served[1]] if served else [])


def _codec_name(name: str) -> str:
    """Python's name for an encoding that turns bytes into text, or an empty string."""
    try:
        known = codecs.lookup(name)
    except (LookupError, OSError):  # of another platform, and so not loaded where no file can be opened
        return ""
    is_text = getattr(known, "_is_text_encoding", True)
    wide = known.name.startswith(("utf-16", "utf-32"))  # it would have been seen
    return _WIDER.get(known.name, known.name) if is_text and not wide and known.name not in ("idna", "punycode") else ""
