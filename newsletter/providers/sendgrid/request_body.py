"""Parcels of one letter in, the JSON of one request to SendGrid out: the letter encoded once, people by columns."""

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from newsletter.lib import mail_headers, message, placeholders
from newsletter.lib.provider_interface import Letter, Parcel, Parcels

#: Bytes; SendGrid takes 10,000 for one person's substitutions, and 30 MB for a request.
MOST_PERSONAL: Final = 8_000
MOST_IN_ALL: Final = 30_000_000
#: Nothing of a mail is ever changed or watched by the carrier; unsaid, the account's own settings would hold.
NO_TRACKING: Final = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
_HTML = "html-"
#: People written at once: larger pieces of memory go back to the system each time, and come back empty, page by page.
_TOGETHER = 100
#: Where a person's own value goes: in JSON nothing else is written so.
_VALUE = "\0"
#: Signs that HTML would write otherwise.
_MARKS = "&<>\"'"
#: What stands as it is between the quotes of JSON, and what does so in HTML too.
_UNQUOTED = bytes(sign for sign in range(0x20, 0x7F) if sign not in b'"\\')
_PLAIN = bytes(sign for sign in _UNQUOTED if sign not in _MARKS.encode())


class NeedsTwoTags(ValueError):
    """Somebody's words stand in HTML otherwise than in text: that needs a form with `apart`."""


@dataclass(frozen=True)
class Form:
    """A letter as a request: what stands before, between and behind each person's own values, and behind all people.

    `fills` says which place each substitution holds, and whether as it stands in HTML. `apart`: text and HTML have tags of
    their own; mostly one for both will do, since links and references are the same in both.
    """

    letter: Letter
    apart: bool
    _person: tuple[str, ...] = field(repr=False)
    _fills: tuple[tuple[str, bool], ...]
    _end: bytes = field(repr=False)

    def request(self, parcels: Sequence[Parcel]) -> list[bytes]:
        """The request for parcels of this letter, in parts. Exactly one `to` in each personalization.

        Raises:
            NotMailable: a parcel cannot be put in it.
            NeedsTwoTags: it can be put in one with tags apart.
        """
        columns = Parcels.of(parcels)
        addresses, message_ids, urls = mail_headers.header_columns(
            columns
        )  # the first two need no quoting: what fits has nothing to quote
        fills = list(self._substitutions(columns))
        # JSON in ASCII is never shorter than the words themselves
        if sum(max(map(len, values)) for values in fills) + self._tags >= MOST_PERSONAL:
            self._check_sizes(columns)
        values = [addresses, message_ids, _left(urls), _quoted(columns.opaque), *fills]
        people = [
            self._people([column[start : start + _TOGETHER] for column in values])
            for start in range(0, len(columns), _TOGETHER)
        ]
        return [b'{"personalizations":[', *people[:-1], people[-1].removesuffix(b","), self._end]

    def _people(self, columns: Sequence[Sequence[str]]) -> bytes:
        """Some people, in ASCII: the fixed pieces and the columns, taken in turn."""
        count, step = len(columns[0]), len(self._person) + len(columns)
        pieces = [""] * (count * step)
        for place, fixed in enumerate(self._person):
            pieces[2 * place :: step] = [fixed] * count
        for place, values in enumerate(columns):
            pieces[2 * place + 1 :: step] = values
        return "".join(pieces).encode("ascii")

    def _substitutions(self, parcels: Parcels) -> Iterable[Sequence[str]]:
        """A column of values for each substitution, as they stand in JSON."""
        for name, in_html in self._fills:
            values = self._words(parcels, name)
            if _consist_of(values, _PLAIN):
                yield values
            elif not self.apart and any(sign in text for text in values for sign in _MARKS):
                raise NeedsTwoTags("words that stand in HTML otherwise than in text need a form of their own")
            else:
                yield _quoted([html.escape(value) for value in values] if in_html else values)

    def _words(self, parcels: Parcels, name: str) -> Sequence[str]:
        try:
            return parcels.personal[name]
        except KeyError:
            raise message.missing_value(name) from None

    @property
    def _tags(self) -> int:
        """Bytes of one person's tags."""
        return sum(len(_tag(name, in_html)) for name, in_html in self._fills)

    def _check_sizes(self, parcels: Parcels) -> None:
        columns = [self._words(parcels, name) for name, _ in self._fills]
        for values in zip(*columns, strict=True):
            words = (html.escape(text) if also else text for text, (_, also) in zip(values, self._fills, strict=True))
            if sum(len(text.encode("utf-8", "replace")) for text in words) + self._tags >= MOST_PERSONAL:
                raise mail_headers.NotMailable(f"one person's own words are longer than {MOST_PERSONAL:,} bytes")


def form(
    letter: Letter, sender: mail_headers.SenderIdentity, *, own_bounces: bool = False, apart: bool = False
) -> Form:
    """Encode what all requests of a letter share. `own_bounces`: SendGrid's list of bounces is passed by.

    Raises:
        NotMailable: the sender cannot stand in a header.
    """
    fills = [
        (name, False) for name in placeholders.placeholders_in(letter.text if apart else letter.text + letter.html)
    ]
    fills += [(name, True) for name in placeholders.placeholders_in(letter.html) if apart]
    tags = ",".join(f'{_json(_tag(name, in_html))}:"{_VALUE}"' for name, in_html in fills)
    # all headers here: whether a personalization's add to the message's or replace them is not documented
    headers = f'"Message-ID":"<{_VALUE}>"{_VALUE},' + _json(mail_headers.shared_headers(letter, sender))[1:-1]
    person = f'{{"to":[{{"email":"{_VALUE}"}}],"headers":{{{headers}}},"custom_args":{{"d":"{_VALUE}"}}'
    person += f',"substitutions":{{{tags}}}}},' if fills else "},"
    end = b"]," + _json(_shared(letter, sender, own_bounces, apart))[1:].encode()
    return Form(letter, apart, tuple(person.split(_VALUE)), tuple(fills), end)


def _shared(letter: Letter, sender: mail_headers.SenderIdentity, own_bounces: bool, apart: bool) -> dict[str, Any]:
    content = [{"type": "text/plain", "value": _clean(letter.text) or " "}]
    if letter.html:
        marked = letter.html
        for name in placeholders.PLACEHOLDERS if apart else ():
            marked = marked.replace(placeholders.placeholder(name), _tag(name, in_html=True))
        content.append({"type": "text/html", "value": _clean(marked)})
    found = {
        "from": {"email": mail_headers.ascii_address(sender.address), "name": _name(sender.name)},
        "reply_to": {"email": mail_headers.ascii_address(sender.contact)},
        "subject": mail_headers.header_text(letter.subject) or " ",
        "content": content,
        "tracking_settings": NO_TRACKING,
    }
    return found | ({"mail_settings": {"bypass_bounce_management": {"enable": True}}} if own_bounces else {})


def _tag(name: str, in_html: bool) -> str:
    """What stands in the content for a place: a value of its own in HTML, where it is escaped."""
    return (
        placeholders.placeholder(name).replace("@@nl-", f"@@nl-{_HTML}") if in_html else placeholders.placeholder(name)
    )


def _left(urls: Sequence[str | None]) -> list[str]:
    """The pair of RFC 8058 after another header, or nothing for a notice."""
    pair = _json(mail_headers.ONE_CLICK)[1:-1]
    written = _quoted([url or "" for url in urls])
    return [f',"List-Unsubscribe":"<{url}>",{pair}' if url else "" for url in written]


def _quoted(values: Sequence[str]) -> Sequence[str]:
    """Each as it stands between the quotes of JSON, in ASCII; most stand as they are."""
    return values if _consist_of(values, _UNQUOTED) else [json.dumps(_clean(value))[1:-1] for value in values]


def _consist_of(values: Sequence[str], signs: bytes) -> bool:
    """Whether nothing but these signs of ASCII stands in any of them."""
    return not "".join(values).encode("utf-8", "surrogatepass").translate(None, signs)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _name(name: str) -> str:
    """A display name; SendGrid reads a comma or semicolon outside quotes as the next address."""
    plain = mail_headers.header_text(name, 80).replace('"', "'")
    return f'"{plain}"' if "," in plain or ";" in plain else plain


def _clean(text: str) -> str:
    """Text that is surely UTF-8."""
    return text.encode("utf-8", "replace").decode()
