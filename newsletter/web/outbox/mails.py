"""Mails that were written to files: the list of them, and one of them taken apart. Nothing here needs the web.

The directory may hold files that others put there, so whatever of a mail cannot be decoded is left out, and its source is shown.
"""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from typing import Final

from newsletter.providers.outbox import NAME, STAMP

#: Mails on one page of the list.
PAGE: Final = 50
#: Bytes of a file that are read for the list (its head), and for a page: more is left out.
_HEAD, _WHOLE = 16_384, 5_000_000


@dataclass(frozen=True)
class Listed:
    """A mail in the list."""

    name: str
    written_at: datetime
    subject: str
    to: str


@dataclass(frozen=True)
class Link:
    """A link of a mail, with the words that it stands on."""

    url: str
    words: str


@dataclass(frozen=True)
class Mail:
    """A mail taken apart."""

    name: str
    written_at: datetime
    subject: str
    sender: str
    to: str
    html: str
    text: str
    source: str
    links: tuple[Link, ...]


def newest(directory: Path, *, before: str = "") -> tuple[list[Listed], bool]:
    """A page of mails, the newest first, and whether there are older ones. `before` is the name of the last one seen."""
    names = sorted((name for name in _names(directory) if not before or name < before), reverse=True)
    listed = (_listed(directory, name) for name in islice(names, PAGE))
    return [mail for mail in listed if mail is not None], len(names) > PAGE


def read(directory: Path, name: str) -> Mail | None:
    """The mail in a file; None if there is none of this name."""
    written_at = _written_at(name)
    if written_at is None:
        return None
    try:
        raw = _bytes(directory / name, _WHOLE)
    except FileNotFoundError:
        return None
    parsed = _parse(raw)
    html = _part(parsed, "html")
    return Mail(
        name=name,
        written_at=written_at,
        subject=_header(parsed, "Subject"),
        sender=_header(parsed, "From"),
        to=_header(parsed, "To"),
        html=html,
        text=_part(parsed, "plain"),
        source=raw.decode("utf-8", "replace"),
        links=links(html),
    )


def links(html: str) -> tuple[Link, ...]:
    """The links of a mail, each address once, in the order in which they stand."""
    reader = _Links()
    with suppress(AssertionError):  # Python's parser gives up at some broken declarations
        reader.feed(html)
        reader.close()
    first: dict[str, Link] = {}
    for url, words in reader.found:
        first.setdefault(url, Link(url, " ".join("".join(words).split())))
    return tuple(first.values())


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.startswith(("http://", "https://")):
            self.found.append((href, []))
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[-1][1].append(data)


def _names(directory: Path) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [entry.name for entry in entries if entry.is_file(follow_symlinks=False) and _written_at(entry.name)]
    except FileNotFoundError:
        return []


def _listed(directory: Path, name: str) -> Listed | None:
    written_at = _written_at(name)
    if written_at is None:
        return None
    try:
        head = _parse(_bytes(directory / name, _HEAD))
    except FileNotFoundError:  # it was removed meanwhile
        return None
    return Listed(name, written_at, _header(head, "Subject"), _header(head, "To"))


def _bytes(path: Path, most: int) -> bytes:
    """The first bytes of a regular file; raises FileNotFoundError when there is none that can be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would be waited for
    except OSError as error:
        raise FileNotFoundError from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def _written_at(name: str) -> datetime | None:
    """When a mail was written, by its file's name; None if this is no name of a mail."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return datetime.strptime(match["written_at"], STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _parse(raw: bytes) -> EmailMessage:
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)  # noqa: S101 - what this policy makes
    return parsed


def _header(parsed: EmailMessage, name: str) -> str:
    try:
        value = str(parsed[name] or "")
    except Exception:  # noqa: BLE001 - Python's parser of headers fails at broken ones with errors of many kinds
        value = next(str(raw) for key, raw in parsed.raw_items() if key.lower() == name.lower())
    return _encodable(value)


def _part(parsed: EmailMessage, kind: str) -> str:
    """The text of the part `kind`; empty if there is none, or none that can be decoded."""
    try:
        body = parsed.get_body((kind,))
        return _encodable(str(body.get_content())) if body is not None else ""
    except Exception:  # noqa: BLE001 - as above; an unknown charset is a LookupError
        return ""


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
