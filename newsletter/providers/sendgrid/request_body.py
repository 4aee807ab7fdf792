"""Build the JSON of a request to SendGrid: the letter is encoded once, its people are written column by column."""

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from newsletter.lib.mail import headers as mail_headers
from newsletter.lib.mail import message, placeholders
from newsletter.lib.mail.provider_interface import Letter, Parcel, Parcels

#: Limits in bytes. SendGrid takes 10,000 for one person's substitutions, and 30 MB for a request.
MOST_PERSONAL: Final = 8_000
MOST_IN_ALL: Final = 30_000_000
#: SendGrid must not change or track a mail. Without these, the account's settings would apply.
NO_TRACKING: Final = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
_HTML = "html-"
#: People joined at once. Larger buffers would be returned to the system each time, and fetched again page by page.
_AT_ONCE = 100
#: Stands for a personal value in the template. JSON never contains it.
_VALUE = "\0"
#: Characters that HTML escapes.
_ESCAPED = "&<>\"'"
#: Bytes that need no escaping in a JSON string, and those that need none in HTML either.
_UNQUOTED = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
_PLAIN = bytes(byte for byte in _UNQUOTED if byte not in _ESCAPED.encode())


class NeedsSeparateTags(ValueError):
    """Somebody's value needs escaping in HTML: that takes a template with `separate_tags`."""


@dataclass(frozen=True)
class RequestTemplate:
    """A letter as a request in which only people are missing.

    SendGrid replaces a tag in the content by each person's substitution. One tag serves text and HTML as long as values are
    the same in both, as links and references are. With `separate_tags` HTML has tags of its own, whose values are escaped:

        the letter        text `Read @@nl-link@@`                html `<a href="@@nl-link@@">`
        one tag           text `Read @@nl-link@@`                html `<a href="@@nl-link@@">`
                          "substitutions": {"@@nl-link@@": "https://a.example/x"}
        separate tags     text `Read @@nl-link@@`                html `<a href="@@nl-html-link@@">`
                          "substitutions": {"@@nl-link@@": "https://a.example/?a&b",
                                            "@@nl-html-link@@": "https://a.example/?a&amp;b"}
    """

    letter: Letter
    separate_tags: bool
    #: The fixed text around one person's values: one piece more than there are values.
    _person: tuple[str, ...] = field(repr=False)
    #: Each substitution: its placeholder, and whether its value is escaped for HTML.
    _substitutions: tuple[tuple[str, bool], ...]
    #: What follows all people.
    _end: bytes = field(repr=False)

    def request(self, parcels: Sequence[Parcel]) -> list[bytes]:
        """Return the request for parcels of this letter, in parts. Each personalization has exactly one `to`.

        Raises:
            NotMailable: a parcel does not fit in a request.
            NeedsSeparateTags: the parcels fit in a request with separate tags.
        """
        columns = Parcels.of(parcels)
        # addresses and Message-IDs have passed the check for headers, so nothing in them needs escaping
        addresses, message_ids, urls = mail_headers.header_columns(columns)
        substitutions = list(self._substitution_columns(columns))
        # JSON in ASCII is never shorter than the values themselves
        if sum(max(map(len, values)) for values in substitutions) + self._tag_bytes >= MOST_PERSONAL:
            self._check_sizes(columns)
        values = [addresses, message_ids, _one_click(urls), _json_strings(columns.opaque), *substitutions]
        people = [
            self._people([column[start : start + _AT_ONCE] for column in values])
            for start in range(0, len(columns), _AT_ONCE)
        ]
        return [b'{"personalizations":[', *people[:-1], people[-1].removesuffix(b","), self._end]

    def _people(self, columns: Sequence[Sequence[str]]) -> bytes:
        """Write some people in ASCII: fixed pieces and values in turn, for one person after the other.

        Slices put a whole column in its places at once. With the pieces `<`, `:`, `>` and the columns `a b`, `1 2`, a person
        takes five places, and the pieces and columns go in every fifth, from 0, 2, 4 and from 1, 3: `< a : 1 >  < b : 2 >`.
        """
        count, step = len(columns[0]), len(self._person) + len(columns)
        parts = [""] * (count * step)
        for index, fixed in enumerate(self._person):
            parts[2 * index :: step] = [fixed] * count
        for index, values in enumerate(columns):
            parts[2 * index + 1 :: step] = values
        return "".join(parts).encode("ascii")

    def _substitution_columns(self, parcels: Parcels) -> Iterable[Sequence[str]]:
        """Yield a column of values for each substitution, escaped for JSON."""
        for name, in_html in self._substitutions:
            values = self._values(parcels, name)
            if _consist_of(values, _PLAIN):
                yield values
            elif not self.separate_tags and any(character in text for text in values for character in _ESCAPED):
                raise NeedsSeparateTags("values that need escaping in HTML need a tag of their own there")
            else:
                yield _json_strings([html.escape(value) for value in values] if in_html else values)

    def _values(self, parcels: Parcels, name: str) -> Sequence[str]:
        try:
            return parcels.personal[name]
        except KeyError:
            raise message.missing_value(name) from None

    @property
    def _tag_bytes(self) -> int:
        """Bytes of one person's tags."""
        return sum(len(_tag(name, in_html)) for name, in_html in self._substitutions)

    def _check_sizes(self, parcels: Parcels) -> None:
        columns = [self._values(parcels, name) for name, _ in self._substitutions]
        for person in zip(*columns, strict=True):
            values = (
                html.escape(text) if in_html else text
                for text, (_, in_html) in zip(person, self._substitutions, strict=True)
            )
            if sum(len(text.encode("utf-8", "replace")) for text in values) + self._tag_bytes >= MOST_PERSONAL:
                raise mail_headers.NotMailable(f"one person's own words are longer than {MOST_PERSONAL:,} bytes")


def request_template(
    letter: Letter,
    sender: mail_headers.SenderIdentity,
    *,
    own_bounces: bool = False,
    separate_tags: bool = False,
) -> RequestTemplate:
    """Encode what all requests of a letter share. With `own_bounces`, SendGrid does not apply its own list of bounces.

    Raises:
        NotMailable: the sender does not fit in a header.
    """
    in_text = letter.text if separate_tags else letter.text + letter.html
    substitutions = [(name, False) for name in placeholders.placeholders_in(in_text)]
    if separate_tags:
        substitutions += [(name, True) for name in placeholders.placeholders_in(letter.html)]
    tags = ",".join(f'{_json(_tag(name, in_html))}:"{_VALUE}"' for name, in_html in substitutions)
    # all headers stand here: it is not documented whether a personalization's headers replace the message's or add to them
    headers = f'"Message-ID":"<{_VALUE}>"{_VALUE},' + _json(mail_headers.shared_headers(letter, sender))[1:-1]
    person = f'{{"to":[{{"email":"{_VALUE}"}}],"headers":{{{headers}}},"custom_args":{{"d":"{_VALUE}"}}'
    person += f',"substitutions":{{{tags}}}}},' if substitutions else "},"
    end = b"]," + _json(_shared(letter, sender, own_bounces, separate_tags))[1:].encode()
    return RequestTemplate(letter, separate_tags, tuple(person.split(_VALUE)), tuple(substitutions), end)


def _shared(
    letter: Letter, sender: mail_headers.SenderIdentity, own_bounces: bool, separate_tags: bool
) -> dict[str, Any]:
    content = [{"type": "text/plain", "value": _clean(letter.text) or " "}]
    if letter.html:
        tagged = letter.html
        for name in placeholders.PLACEHOLDERS if separate_tags else ():
            tagged = tagged.replace(placeholders.placeholder(name), _tag(name, in_html=True))
        content.append({"type": "text/html", "value": _clean(tagged)})
    shared = {
        "from": {"email": mail_headers.ascii_address(sender.address), "name": _name(sender.name)},
        "reply_to": {"email": mail_headers.ascii_address(sender.contact)},
        "subject": mail_headers.header_text(letter.subject) or " ",
        "content": content,
        "tracking_settings": NO_TRACKING,
    }
    return shared | ({"mail_settings": {"bypass_bounce_management": {"enable": True}}} if own_bounces else {})


def _tag(name: str, in_html: bool) -> str:
    """Return the tag that stands for a placeholder in the content; HTML may have one of its own."""
    tag = placeholders.placeholder(name)
    return tag.replace("@@nl-", f"@@nl-{_HTML}") if in_html else tag


def _one_click(urls: Sequence[str | None]) -> list[str]:
    """The headers of RFC 8058 for each URL, to follow another header; nothing for a notice."""
    post = _json(mail_headers.ONE_CLICK)[1:-1]
    escaped = _json_strings([url or "" for url in urls])
    return [f',"List-Unsubscribe":"<{url}>",{post}' if url else "" for url in escaped]


def _json_strings(values: Sequence[str]) -> Sequence[str]:
    """Escape each value for a JSON string, in ASCII; most need nothing."""
    return values if _consist_of(values, _UNQUOTED) else [json.dumps(_clean(value))[1:-1] for value in values]


def _consist_of(values: Sequence[str], characters: bytes) -> bool:
    """True if the values consist of these ASCII characters only."""
    return not "".join(values).encode("utf-8", "surrogatepass").translate(None, characters)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _name(name: str) -> str:
    """Return a display name, quoted if SendGrid would read it as several addresses (comma, semicolon)."""
    plain = mail_headers.header_text(name, 80).replace('"', "'")
    return f'"{plain}"' if "," in plain or ";" in plain else plain


def _clean(text: str) -> str:
    """Replace what cannot be encoded in UTF-8."""
    return text.encode("utf-8", "replace").decode()
