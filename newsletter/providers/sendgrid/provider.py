"""SendGrid: a whole batch is one request with one outcome, a personalization for each person."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from newsletter.lib import mail_headers
from newsletter.lib.clock import utcnow
from newsletter.lib.provider_interface import Accepted, Deferred, Outcome, Parcel, Parcels, Rejected, Unknown
from newsletter.providers.sendgrid.http import ApiClient, Headers, NoAnswer, NotConnected
from newsletter.providers.sendgrid.request_body import MOST_IN_ALL, Form, NeedsTwoTags, form

#: Personalizations in one request.
MOST: Final = 1000
_REF = re.compile(r"[\w.-]{1,100}", re.ASCII)
_FIELD = re.compile(r"[a-z_]+(\.[a-z0-9_]+){0,5}")
_LONGEST_WAIT: Final = 3600.0
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
#: Numbers below are no moment of this century, but a span.
_UNIX_TIME: Final = 1_000_000_000.0


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
        sender: mail_headers.SenderIdentity,
        *,
        url: str = "https://api.sendgrid.com",
        clock: Callable[[], datetime] = utcnow,
        timeout: float = 15.0,
        own_bounces: bool = False,
    ) -> None:
        self._client = ApiClient(key, url=url, timeout=timeout)
        self._sender = sender
        self._clock = clock
        self._own_bounces = own_bounces
        self._last: Form | None = None

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Hand all parcels over in one request; they share one letter, and one outcome.

        Raises:
            ValueError: they do not share a letter.
        """
        if not parcels:
            return {}
        columns = Parcels.of(parcels)
        if columns.letters.count(columns.letters[0]) < len(columns):
            raise ValueError("one request carries one letter")
        return dict.fromkeys(columns.delivery_ids, self._outcome(columns))

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _request(self, parcels: Parcels) -> list[bytes]:
        """Their letter is encoded once: neighbouring batches mostly carry the same."""
        letter = parcels.letters[0]
        if self._last is None or self._last.letter != letter:
            self._last = form(letter, self._sender, own_bounces=self._own_bounces)
        try:
            return self._last.request(parcels)
        except NeedsTwoTags:
            self._last = form(letter, self._sender, own_bounces=self._own_bounces, apart=True)
            return self._last.request(parcels)

    def _outcome(self, parcels: Parcels) -> Outcome:
        several = len(parcels) > 1
        if len(parcels) > MOST:
            return Rejected(f"more than {MOST} people in one request", split=True)
        try:
            request = self._request(parcels)
        except mail_headers.NotMailable as error:
            return Rejected(str(error), split=several)
        if sum(map(len, request)) >= MOST_IN_ALL:
            return Rejected("larger than 30 MB", split=several)
        try:
            status, headers, answer = self._client(request)
        except NotConnected as error:
            return Deferred(f"no connection: {error}")
        except NoAnswer as error:
            return Unknown(f"no whole answer: {error}")
        return judge(status, headers, answer, several=several, now=self._clock())


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
            return Rejected(f"{status}{_fields(answer)}", split=several)
        case 408:
            return Deferred("408: the request did not arrive whole")
        case 301 | 307 | 308:
            return Deferred(f"{status}: check NEWSLETTER_SENDGRID_URL", pause=True)
        case _ if 400 <= status < 500:
            return Deferred(f"{status}: check NEWSLETTER_SENDGRID_URL", pause=True)
    return Unknown(f"answered {status}")


def wait(headers: Headers, now: datetime) -> float | None:
    """Seconds to wait, from Retry-After (seconds or a date, RFC 9110, 10.2.3), else X-RateLimit-Reset; None: nothing readable.

    A reset is a UNIX time, in seconds or milliseconds, or, where it is too small for one, a number of seconds. Moments are
    compared with the answer's own Date, so that a clock of ours that is wrong does not matter.
    """
    here = (_date(headers.get("Date", "")) or now).timestamp()
    after = headers.get("Retry-After", "").strip()
    if (seconds := _number(after)) is None and (moment := _date(after)) is not None:
        seconds = moment.timestamp() - here
    if seconds is None and (reset := _number(headers.get("X-RateLimit-Reset", "").strip())) is not None:
        seconds = reset - here if reset >= _UNIX_TIME else reset
        if reset >= _UNIX_TIME * 1000:
            seconds = reset / 1000 - here
    return None if seconds is None else min(max(seconds, 1.0), _LONGEST_WAIT)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> datetime | None:
    """A date of HTTP; None for anything else."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _fields(answer: bytes) -> str:
    """Which fields were wrong: their names only, the messages may quote an address."""
    try:
        errors = json.loads(answer)["errors"]
        names = [str(error["field"]) for error in errors]
    except (ValueError, KeyError, TypeError):
        return ""
    known = [name for name in names if _FIELD.fullmatch(name)][:3]
    return f": {', '.join(known)}" if known else ""
