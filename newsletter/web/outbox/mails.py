"""Mails that were written to files: the list of them, and one of them taken apart. Nothing here needs the web.

The directory may hold files that others put there, so whatever of a mail cannot be decoded is left out, and its source is shown.
"""

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from newsletter.providers.outbox import NAME, STAMP
from newsletter.web import mail_parts
from newsletter.web.mail_parts import MailLink

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
    links: tuple[MailLink, ...]


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
    parsed = mail_parts.parse(raw)
    html = mail_parts.text_part(parsed, "html")
    return Mail(
        name=name,
        written_at=written_at,
        subject=mail_parts.header(parsed, "Subject"),
        sender=mail_parts.header(parsed, "From"),
        to=mail_parts.header(parsed, "To"),
        html=html,
        text=mail_parts.text_part(parsed, "plain"),
        source=raw.decode("utf-8", "replace"),
        links=mail_parts.links(html),
    )


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
        head = mail_parts.parse(_bytes(directory / name, _HEAD))
    except FileNotFoundError:  # it was removed meanwhile
        return None
    return Listed(name, written_at, mail_parts.header(head, "Subject"), mail_parts.header(head, "To"))


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
