"""Bytes to text: which encoding a feed is really in, whatever it or its server say."""

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})["']""")
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)
#: Supersets that decode what is really sent under the narrower name.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "windows-1252",
    "ascii": "windows-1252",
    "big5": "big5hkscs",
}


def decode(body: bytes, content_type: str) -> str:
    """The text of `body`, served with the Content-Type header `content_type`. Undecodable bytes become U+FFFD.

    A byte order mark wins; then UTF-8 if the bytes are valid as such (other encodings practically never are by chance); then
    what the document declares, what the server says, and windows-1252.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    for start, name in ((b"<\0?\0", "utf-16-le"), (b"\0<\0?", "utf-16-be")):
        if body.startswith(start):
            return body.decode(name, "replace")
    names = [_known(found) for found in _announced(body, content_type)]
    stateful = [name for name in names if name and name.startswith(("iso2022", "hz"))]
    for name in (*stateful, "utf-8", *names, "windows-1252"):
        if name:
            try:
                return body.decode(name)
            except (UnicodeDecodeError, LookupError):
                continue
    return body.decode(next((name for name in names if name), "utf-8"), "replace")


def _announced(body: bytes, content_type: str) -> list[str]:
    found = [pattern.search(body[:2000]) for pattern in (_DECLARED, _META)]
    named = [hit[1].decode("ascii", "replace") for hit in found if hit]
    served = _CHARSET.search(content_type)
    return named + ([served[1]] if served else [])


def _known(name: str) -> str:
    """Python's name for an encoding that turns bytes into text, or an empty string."""
    try:
        known = codecs.lookup(name)
    except LookupError:
        return ""
    is_text = getattr(known, "_is_text_encoding", True)
    return _WIDER.get(known.name, known.name) if is_text and known.name not in ("idna", "punycode") else ""
