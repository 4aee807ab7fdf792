"""Parcels of one letter in, the JSON of one request to SendGrid out: the letter encoded once, people by a template."""

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from newsletter import mail
from newsletter.handover import Letter, Parcel

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


@dataclass(frozen=True)
class Form:
    """A letter as a request: what is before and behind the people, and how a person is written (a template for `%`).

    `fills` says which place each substitution holds, and whether as it stands in HTML. `apart`: text and HTML have tags of
    their own; mostly one for both will do, since links and references are the same in both.
    """

    letter: Letter
    apart: bool
    _person: str = field(repr=False)
    _fills: tuple[tuple[str, bool], ...]
    _end: bytes = field(repr=False)

    def fits(self, parcels: Sequence[Parcel]) -> bool:
        """Whether these parcels' words can be written this way."""
        return self.apart or not _special("".join(["".join(parcel.personal.values()) for parcel in parcels]))

    def request(self, parcels: Sequence[Parcel]) -> bytes:
        """The request for parcels of this letter. Exactly one `to` in each personalization.

        Raises:
            NotMailable: a parcel cannot be put in it.
            ValueError: it does not fit.
        """
        if not self.fits(parcels):
            raise ValueError("words that stand in HTML otherwise than in text need a form of their own")
        owns = [mail.Own.of(parcel) for parcel in parcels]
        columns = [
            _quoted([own.address for own in owns]),
            [own.message_id for own in owns],
            _left([own.unsubscribe for own in owns]),
            _quoted([parcel.opaque for parcel in parcels]),
            *self._substitutions(parcels),
        ]
        people = [self._person % values for values in zip(*columns, strict=True)]
        if max(map(len, people)) >= MOST_PERSONAL:  # else no part of one can be as long; JSON in ASCII is never shorter
            self._check_sizes(parcels)
        return b"".join([b'{"personalizations":[', ",".join(people).encode("ascii"), self._end])

    def _substitutions(self, parcels: Sequence[Parcel]) -> Iterable[list[str]]:
        """A column of values for each substitution."""
        for name, in_html in self._fills:
            try:
                values = [parcel.personal[name] for parcel in parcels]
            except KeyError:
                raise mail.no_value(name) from None
            yield _quoted([html.escape(value) for value in values] if in_html else values)

    def _check_sizes(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            values = (
                html.escape(parcel.personal[name]) if also else parcel.personal[name] for name, also in self._fills
            )
            names = (_tag(name, in_html) for name, in_html in self._fills)
            if sum(len(text.encode("utf-8", "replace")) for text in (*names, *values)) >= MOST_PERSONAL:
                raise mail.NotMailable(f"one person's own words are longer than {MOST_PERSONAL:,} bytes")


def form(letter: Letter, sender: mail.Sender, *, own_bounces: bool = False, apart: bool = False) -> Form:
    """Encode what all requests of a letter share. `own_bounces`: SendGrid's list of bounces is passed by.

    Raises:
        NotMailable: the sender cannot stand in a header.
    """
    fills = [(name, False) for name in mail.places(letter.text if apart else letter.text + letter.html)]
    fills += [(name, True) for name in mail.places(letter.html) if apart]
    tags = ",".join(f'{_json(_tag(name, in_html))}:"%s"' for name, in_html in fills)
    # all headers here: whether a personalization's add to the message's or replace them is not documented
    shared = _json(mail.shared_headers(letter, sender))[1:-1].replace("%", "%%")
    person = (
        '{"to":[{"email":"%s"}],"headers":{"Message-ID":"<%s>"%s,'
        + shared
        + '},"custom_args":{"d":"%s"}'
        + (f',"substitutions":{{{tags}}}' if fills else "")
        + "}"
    )
    return Form(
        letter, apart, person, tuple(fills), b"]," + _json(_shared(letter, sender, own_bounces, apart))[1:].encode()
    )


def _shared(letter: Letter, sender: mail.Sender, own_bounces: bool, apart: bool) -> dict[str, Any]:
    content = [{"type": "text/plain", "value": _clean(letter.text) or " "}]
    if letter.html:
        marked = letter.html
        for name in mail.PLACES if apart else ():
            marked = marked.replace(mail.place(name), _tag(name, in_html=True))
        content.append({"type": "text/html", "value": _clean(marked)})
    found = {
        "from": {"email": mail.ascii_address(sender.address), "name": _name(sender.name)},
        "reply_to": {"email": mail.ascii_address(sender.contact)},
        "subject": mail.header_text(letter.subject) or " ",
        "content": content,
        "tracking_settings": NO_TRACKING,
    }
    return found | ({"mail_settings": {"bypass_bounce_management": {"enable": True}}} if own_bounces else {})


def _tag(name: str, in_html: bool) -> str:
    """What stands in the content for a place: a value of its own in HTML, where it is escaped."""
    return mail.place(name).replace("@@nl-", f"@@nl-{_HTML}") if in_html else mail.place(name)


def _left(urls: Sequence[str | None]) -> list[str]:
    """The pair of RFC 8058 after another header, or nothing for a notice."""
    pair = _json(mail.ONE_CLICK)[1:-1]
    written = _quoted([url or "" for url in urls])
    return [f',"List-Unsubscribe":"<{url}>",{pair}' if url else "" for url in written]


def _special(text: str) -> bool:
    """Whether HTML would write some of it otherwise."""
    return any(sign in text for sign in "&<>\"'")


def _quoted(values: list[str]) -> list[str]:
    """Each as it stands between the quotes of JSON, in ASCII; most stand as they are."""
    together = "".join(values)
    if together.isascii() and together.isprintable() and '"' not in together and "\\" not in together:
        return values
    return [json.dumps(_clean(value))[1:-1] for value in values]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _name(name: str) -> str:
    """A display name; SendGrid reads a comma or semicolon outside quotes as the next address."""
    plain = mail.header_text(name, 80).replace('"', "'")
    return f'"{plain}"' if "," in plain or ";" in plain else plain


def _clean(text: str) -> str:
    """Text that is surely UTF-8."""
    return text.encode("utf-8", "replace").decode()
