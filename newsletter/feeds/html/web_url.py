"""Make absolute http(s) URLs as browsers do (WHATWG URL): forbidden characters are percent-encoded, never left out."""

import ipaddress
import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import idna

#: A URL that nothing is to be done about.
PLAIN_URL = re.compile(
    r"(?!.*%2[eE])https?://[a-z0-9.-]+/[A-Za-z0-9/_~%-]*(?:\.[A-Za-z0-9]+)?(?:\?[A-Za-z0-9_=&%.~+-]+)?"
)
#: Removed wherever they stand, and at both ends (WHATWG URL, section 4.4).
_REMOVED, _TRIMMED = re.compile(r"[\t\n\r]"), "".join(map(chr, range(33)))
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
#: Browsers encode fewer of these; all are forbidden by RFC 3986, and mean the same encoded. Lone surrogates are no characters.
_ENCODED = re.compile(r"[^!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]")
_PORT = re.compile(r"(.*?)(?::([0-9]{0,5}))?", re.DOTALL)
_HOST = re.compile(r"[a-z0-9._~!$&'()*+,;=-]+")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_SINGLE_DOT, _DOUBLE_DOT = re.compile(r"\.|%2e", re.IGNORECASE), re.compile(r"(?:\.|%2e){2}", re.IGNORECASE)


class _Parts(NamedTuple):
    scheme: str
    host: str
    path: str
    query: str
    fragment: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}{self.query}{self.fragment}"


def absolute_url(href: str, base: str = "") -> str:
    """`href`, relative to `base`, as an absolute http(s) URL. Empty if it is none, or has credentials.

    An internationalised host becomes ASCII (UTS 46); a port that is the scheme's own stays as it is.
    """
    if PLAIN_URL.fullmatch(href):
        return href
    parts = _resolved(href, _resolved(base, None) if base else None)
    return str(parts) if parts else ""


def _resolved(href: str, base: _Parts | None) -> _Parts | None:
    href = _REMOVED.sub("", href.strip(_TRIMMED))
    named = _SCHEME.match(href)
    scheme = named[1].lower() if named else base.scheme if base else ""
    if scheme not in ("http", "https"):
        return None
    rest = href[named.end() :] if named else href
    before, fragment = _split(rest, "#")
    before, query = _split(before, "?")
    slashes = len(before) - len(before.lstrip("/\\"))
    if base and slashes < 2 and scheme == base.scheme:
        return _relative(before.replace("\\", "/"), query, fragment, base)
    if not named and slashes < 2:
        return None
    authority, slash, path = before.lstrip("/\\").replace("\\", "/").partition("/")
    host = _host(authority)
    return _Parts(scheme, host, _path(slash + path), _query(query), _encoded(fragment)) if host else None


def _split(text: str, separator: str) -> tuple[str, str]:
    """`text` before `separator`, and from there on."""
    before, mark, after = text.partition(separator)
    return before, mark + after


def _relative(path: str, query: str, fragment: str, base: _Parts) -> _Parts:
    if not path:
        query = _query(query) if query else base.query
        return base._replace(query=query, fragment=_encoded(fragment))
    whole = path if path.startswith("/") else base.path.rpartition("/")[0] + "/" + path
    return base._replace(path=_path(whole), query=_query(query), fragment=_encoded(fragment))


def _path(path: str) -> str:
    """`path` without dot segments, encoded."""
    if "." not in path and "%2e" not in path.lower():
        return _encoded(path)
    kept: list[str] = []
    *parents, last = path.split("/")[1:]
    for segment in parents:
        if _DOUBLE_DOT.fullmatch(segment):
            del kept[-1:]
        elif not _SINGLE_DOT.fullmatch(segment):
            kept.append(segment)
    if _DOUBLE_DOT.fullmatch(last):
        del kept[-1:]
        last = ""
    elif _SINGLE_DOT.fullmatch(last):
        last = ""
    return _encoded("/" + "/".join([*kept, last])) if path else ""


def _query(query: str) -> str:
    return _encoded(query).replace("'", "%27")


def _encoded(text: str) -> str:
    if text.isascii() and not _ENCODED.search(text):
        return text
    return _ENCODED.sub(lambda hit: "".join(f"%{byte:02X}" for byte in hit[0].encode("utf-8", "replace")), text)


def _host(authority: str) -> str:
    """A host in ASCII, with its port; empty when it is none, or has credentials."""
    if "@" in authority:
        return ""
    if authority.startswith("["):
        return _ipv6(authority)
    parts = _PORT.fullmatch(authority)
    if parts is None or int(parts[2] or 0) > 65_535:
        return ""
    name = _ascii(unquote_to_bytes(parts[1].encode("utf-8", "replace")).decode("utf-8", "replace"))
    if not _HOST.fullmatch(name):
        return ""
    return f"{name}:{parts[2]}" if parts[2] else name


def _ascii(name: str) -> str:
    """A host's name in lower-case ASCII; empty when it has none."""
    return name.lower() if name.isascii() else ".".join(map(_label, _DOTS.split(name)))


def _label(label: str) -> str:
    if label.isascii():
        return label.lower()
    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        # IDNA 2008 knows no emoji, the registries of some countries and all browsers do
        plain = unicodedata.normalize("NFKC", label).casefold()
        return "xn--" + plain.encode("punycode").decode("ascii") if plain.isprintable() and not plain.isascii() else ""


def _ipv6(authority: str) -> str:
    address, bracket, port = authority[1:].partition("]")
    if not bracket or not re.fullmatch(r"(?::[0-9]{0,5})?", port):
        return ""
    try:
        shown = ipaddress.IPv6Address(address).compressed
    except ValueError:
        return ""
    return f"[{shown}]{port if port != ':' else ''}" if "%" not in address else ""
