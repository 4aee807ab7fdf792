"""SendGrid: a whole batch is one request with one outcome, a personalization for each person."""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from newsletter import mail
from newsletter.clock import utcnow
from newsletter.handover import Accepted, Deferred, Letter, Outcome, Parcel, Refused, Unknown
from newsletter.providers.sendgrid_post import Headers, NoAnswer, NotConnected, Post

#: Personalizations in one request.
MOST: Final = 1000
#: Nothing of a mail is ever changed or watched by the carrier; unsaid, the account's own settings would hold.
NO_TRACKING: Final = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
_REF = re.compile(r"[\w.-]{1,100}", re.ASCII)
_FIELD = re.compile(r"[a-z_]+(\.[a-z0-9_]+){0,5}")
_LONGEST_WAIT: Final = 3600.0


class SendGrid:
    """The v3 Web API. `url` is its base; another one for tests and the EU. `timeout` in seconds.

    `own_bounces`: bounces reach us, so our own suppressions decide, and who confirms again is mailed again; without that,
    SendGrid's list of bounces would go on throwing their mail away.
    """

    name: str = "sendgrid"
    number: int = 3
    window: int | None = None
    one_letter: bool = True

    def __init__(
        self,
        key: str,
        sender: mail.Sender,
        *,
        url: str = "https://api.sendgrid.com",
        clock: Callable[[], datetime] = utcnow,
        timeout: float = 15.0,
        own_bounces: bool = False,
    ) -> None:
        self._post = Post(key, url=url, timeout=timeout)
        self._sender = sender
        self._clock = clock
        self._own_bounces = own_bounces

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Hand all parcels over in one request; they share one letter, and one outcome.

        Raises:
            ValueError: they do not share a letter.
        """
        if len({parcel.letter.edition_id for parcel in parcels}) > 1:
            raise ValueError("one request carries one letter")
        outcome = self._outcome(parcels) if parcels else Accepted()
        return {parcel.delivery_id: outcome for parcel in parcels}

    def close(self) -> None:
        """Nothing is kept open."""

    def _outcome(self, parcels: Sequence[Parcel]) -> Outcome:
        several = len(parcels) > 1
        if len(parcels) > MOST:
            return Refused(f"more than {MOST} people in one request", split=True)
        try:
            request = body(parcels, self._sender)
            if self._own_bounces:
                request["mail_settings"] = {"bypass_bounce_management": {"enable": True}}
        except mail.NotMailable as error:
            return Refused(str(error), split=several)
        try:
            status, headers, answer = self._post(request)
        except NotConnected as error:
            return Deferred(f"no connection: {error}")
        except NoAnswer as error:
            return Unknown(f"no whole answer: {error}")
        return judge(status, headers, answer, several=several, now=self._clock())


def body(parcels: Sequence[Parcel], sender: mail.Sender) -> dict[str, Any]:
    """The request for parcels of one letter. Exactly one `to` in each personalization.

    Raises:
        NotMailable: a parcel cannot be put in it.
    """
    letter = parcels[0].letter
    content = [{"type": "text/plain", "value": _clean(letter.text) or " "}]
    if letter.html:
        content.append({"type": "text/html", "value": _clean(_html_tags(letter.html))})
    return {
        "personalizations": [_personalization(letter, parcel, sender) for parcel in parcels],
        "from": {"email": mail.ascii_address(sender.address), "name": _name(sender.name)},
        "reply_to": {"email": mail.ascii_address(sender.contact)},
        "subject": mail.header_text(letter.subject) or " ",
        "content": content,
        "tracking_settings": NO_TRACKING,
    }


def judge(status: int, headers: Headers, answer: bytes, *, several: bool, now: datetime) -> Outcome:
    """What an answer proves. Only 202 is a yes; a 5xx may come after the mail was taken.

    301, 307 and 308 say that the request belongs elsewhere (RFC 9110, 15.4), 302 and 303 may follow one that was acted on.
    """
    match status:
        case 202:
            ref = headers.get("X-Message-Id", "")
            return Accepted(ref if _REF.fullmatch(ref) else None)
        case 429:
            return Deferred("429: too many requests", retry_after=wait(headers, now))
        case 401 | 403:
            return Deferred(f"{status}: check the key, its rights, and that the sender is verified", pause=True)
        case 400 | 413:
            return Refused(f"{status}{_fields(answer)}", split=several)
        case 408:
            return Deferred("408: the request did not arrive whole")
        case 301 | 307 | 308:
            return Deferred(f"{status}: check NEWSLETTER_SENDGRID_URL", pause=True)
        case _ if 400 <= status < 500:
            return Deferred(f"{status}: check NEWSLETTER_SENDGRID_URL", pause=True)
    return Unknown(f"answered {status}")


def wait(headers: Headers, now: datetime) -> float | None:
    """Seconds to wait, from Retry-After or X-RateLimit-Reset (a UNIX time, read against the answer's own Date)."""
    after, reset = headers.get("Retry-After", "").strip(), headers.get("X-RateLimit-Reset", "").strip()
    try:
        here = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except ValueError:
        here = now.timestamp()
    if after.isascii() and after.isdigit():
        seconds = float(after)
    elif reset.isascii() and reset.isdigit():
        seconds = float(reset) - here
    else:
        return None
    return min(max(seconds, 1.0), _LONGEST_WAIT)


def _personalization(letter: Letter, parcel: Parcel, sender: mail.Sender) -> dict[str, Any]:
    found: dict[str, Any] = {
        "to": [{"email": mail.recipient(parcel.address)}],
        # all of them here: whether a personalization's headers add to the message's or replace them is not documented
        "headers": mail.headers(letter, parcel, sender),
        "custom_args": {"d": parcel.opaque},
    }
    values = mail.personal_values(letter, parcel)
    if values:
        found["substitutions"] = _substitutions(values)
    return found


def _substitutions(values: Mapping[str, str]) -> dict[str, str]:
    """A value for each place as it stands in text, and one as it stands in HTML."""
    plain = {mail.place(name): _clean(value) for name, value in values.items()}
    return plain | {_html_tags(tag): html.escape(value) for tag, value in plain.items()}


def _html_tags(text: str) -> str:
    for name in mail.PLACES:
        text = text.replace(mail.place(name), f"@@nl-html-{name}@@")
    return text


def _name(name: str) -> str:
    """A display name; SendGrid reads a comma or semicolon outside quotes as the next address."""
    plain = mail.header_text(name, 80).replace('"', "'")
    return f'"{plain}"' if "," in plain or ";" in plain else plain


def _clean(text: str) -> str:
    """Text that is surely UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _fields(answer: bytes) -> str:
    """Which fields were wrong: their names only, the messages may quote an address."""
    try:
        errors = json.loads(answer)["errors"]
        names = [str(error["field"]) for error in errors]
    except (ValueError, KeyError, TypeError):
        return ""
    known = [name for name in names if _FIELD.fullmatch(name)][:3]
    return f": {', '.join(known)}" if known else ""
