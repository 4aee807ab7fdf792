"""A mail taken apart: headers, texts and links. Whatever cannot be decoded is left out."""

from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser


@dataclass(frozen=True)
class MailLink:
    """A link of a mail, with the words that it stands on."""

    url: str
    words: str


def parse(raw: bytes) -> EmailMessage:
    """The message of these bytes."""
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)  # noqa: S101 - what this policy makes
    return parsed


def header(parsed: EmailMessage, name: str) -> str:
    """A header in words; as it stands if it cannot be decoded."""
    try:
        value = str(parsed[name] or "")
    except Exception:  # noqa: BLE001 - Python's parser of headers fails at broken ones with errors of many kinds
        value = next(str(raw) for key, raw in parsed.raw_items() if key.lower() == name.lower())
    return _encodable(value)


def text_part(parsed: EmailMessage, kind: str) -> str:
    """The text of the part `kind` ("html" or "plain"); empty if there is none, or none that can be decoded."""
    try:
        body = parsed.get_body((kind,))
        return _encodable(str(body.get_content())) if body is not None else ""
    except Exception:  # noqa: BLE001 - as above; an unknown charset is a LookupError
        return ""


def links(html: str) -> tuple[MailLink, ...]:
    """The links of a mail, each address once, in the order in which they stand."""
    reader = _Links()
    with suppress(AssertionError):  # Python's parser gives up at some broken declarations
        reader.feed(html)
        reader.close()
    first: dict[str, MailLink] = {}
    for url, words in reader.found:
        first.setdefault(url, MailLink(url, " ".join("".join(words).split())))
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


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
