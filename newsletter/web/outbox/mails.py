"""Mails that were written to files: the list of them, and one of them taken apart. Nothing here needs the web."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from typing import Final

#: Names as `providers/outbox.py` gives them.
NAME: Final = re.compile(r"(\d{8}T\d{6}Z)-[\w-]{1,100}\.eml", re.ASCII)
#: Mails on one page of the list.
PAGE: Final = 50
#: Bytes of a file that are read for the list: its head.
_HEAD = 16_384


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
    headers: tuple[tuple[str, str], ...]
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
    return [_listed(directory, name) for name in islice(names, PAGE)], len(names) > PAGE


def read(directory: Path, name: str) -> Mail | None:
    """The mail in a file; None if there is none of this name."""
    if not NAME.fullmatch(name):
        return None
    try:
        raw = (directory / name).read_bytes()
    except FileNotFoundError:
        return None
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)  # noqa: S101 - what this policy makes
    html = _part(parsed, "html")
    return Mail(
        name=name,
        written_at=_written_at(name),
        headers=tuple((key, str(value)) for key, value in parsed.items()),
        subject=str(parsed["Subject"] or ""),
        sender=str(parsed["From"] or ""),
        to=str(parsed["To"] or ""),
        html=html,
        text=_part(parsed, "plain"),
        source=raw.decode("utf-8", "replace"),
        links=links(html),
    )


def links(html: str) -> tuple[Link, ...]:
    """The links of a mail, each address once, in the order in which they stand."""
    reader = _Links()
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
        return [path.name for path in directory.iterdir() if NAME.fullmatch(path.name)]
    except FileNotFoundError:
        return []


def _listed(directory: Path, name: str) -> Listed:
    with (directory / name).open("rb") as file:
        head = message_from_bytes(file.read(_HEAD), policy=policy.default)
    return Listed(name, _written_at(name), str(head["Subject"] or ""), str(head["To"] or ""))


def _written_at(name: str) -> datetime:
    return datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _part(parsed: EmailMessage, kind: str) -> str:
    body = parsed.get_body((kind,))
    return str(body.get_content()) if body is not None else ""
