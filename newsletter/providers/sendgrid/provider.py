"""SendGrid provider: a whole batch is one request with one outcome, and one personalization per person."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from newsletter.lib.clock import utcnow
from newsletter.lib.mail import headers as mail_headers
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Parcel, Parcels, Rejected, Unknown
from newsletter.providers.sendgrid.http import ApiClient, Headers, NoAnswer, NotConnected
from newsletter.providers.sendgrid.request_body import MOST_IN_ALL, NeedsSeparateTags, RequestTemplate, request_template

#: Personalizations in one request.
MOST: Final = 1000
_MESSAGE_ID = re.compile(r"[\w.-]{1,100}", re.ASCII)
_FIELD = re.compile(r"[a-z_]+(\.[a-z0-9_]+){0,5}")
_LONGEST_WAIT: Final = 3600.0
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
#: A smaller number is a span of seconds, not a moment of this century.
_UNIX_TIME: Final = 1_000_000_000.0


class SendGrid:
    """The v3 Web API at the base `url`, which differs for the EU and in tests. `timeout` is in seconds.

    With `own_bounces` SendGrid's list of bounces is not applied: bounces are reported to us, so our suppressions decide. Else
    SendGrid would drop the mail even of people who confirmed again.
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
        self._template: RequestTemplate | None = None

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Send all parcels in one request; they share one letter and one outcome.

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
        """Close the connection."""
        self._client.close()

    def _request(self, parcels: Parcels) -> list[bytes]:
        """Build the request. The template is kept: successive batches mostly carry the same letter."""
        letter, template = parcels.letters[0], self._template
        if template is None or template.letter != letter:
            template = self._template = request_template(letter, self._sender, own_bounces=self._own_bounces)
        try:
            return template.request(parcels)
        except NeedsSeparateTags:
            template = self._template = request_template(
                letter, self._sender, own_bounces=self._own_bounces, separate_tags=True
            )
            return template.request(parcels)

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
        return outcome_of(status, headers, answer, several=several, now=self._clock())


def outcome_of(status: int, headers: Headers, answer: bytes, *, several: bool, now: datetime) -> Outcome:
    """Return what an answer proves. Only 202 accepts; a 5xx may come after the mail was taken.

    301, 307 and 308 say that the request belongs elsewhere (RFC 9110, 15.4); 302 and 303 may follow one that was acted on.
    """
    match status:
        case 202:
            message_id = headers.get("X-Message-Id", "")
            return Accepted(message_id if _MESSAGE_ID.fullmatch(message_id) else None)
        case 429:
            return Deferred("429: too many requests", retry_after=retry_after(headers, now))
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


def retry_after(headers: Headers, now: datetime) -> float | None:
    """Return the seconds to wait: by Retry-After (seconds or a date, RFC 9110, 10.2.3), else by X-RateLimit-Reset, else None.

    A reset is a UNIX time in seconds or milliseconds; a number too small for that is a span in seconds. Moments are compared
    with the answer's Date, so that our clock may be wrong.
    """
    answered = (_date(headers.get("Date", "")) or now).timestamp()
    after = headers.get("Retry-After", "").strip()
    if (seconds := _number(after)) is None and (moment := _date(after)) is not None:
        seconds = moment.timestamp() - answered
    if seconds is None and (reset := _number(headers.get("X-RateLimit-Reset", "").strip())) is not None:
        seconds = reset - answered if reset >= _UNIX_TIME else reset
        if reset >= _UNIX_TIME * 1000:
            seconds = reset / 1000 - answered
    return None if seconds is None else min(max(seconds, 1.0), _LONGEST_WAIT)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> datetime | None:
    """Parse an HTTP date; None if it is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _fields(answer: bytes) -> str:
    """Name the fields that were wrong; never the messages, which may quote an address."""
    try:
        errors = json.loads(answer)["errors"]
        names = [str(error["field"]) for error in errors]
    except (ValueError, KeyError, TypeError):
        return ""
    known = [name for name in names if _FIELD.fullmatch(name)][:3]
    return f": {', '.join(known)}" if known else ""
