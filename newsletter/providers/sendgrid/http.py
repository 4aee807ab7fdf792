"""POST to SendGrid on a kept connection, within a time limit, telling "never connected" from "no answer"."""

import http.client
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

import httpcore2
import sendgrid

from newsletter.lib.deadline import deadline
from newsletter.providers.sendgrid import connect

#: Headers of an answer.
Headers = http.client.HTTPMessage
#: Seconds for which a connection waits for the next request. Servers close theirs after some, and a request that meets the
#: closing is in doubt: so we close ours well before.
IDLE: Final = 3.0
#: Requests before a connection is renewed: servers count them too.
RENEW_AFTER: Final = 500
#: Seconds for a whole exchange, far below the lease of a request.
WHOLE: Final = 60.0
#: Bytes of an answer that are read: the text of an error has some hundred.
LARGEST: Final = 65_536


class NotConnected(OSError):
    """No connection was made, so not one byte of the request can have been read."""


class NoAnswer(Exception):
    """The request left, wholly or in part, and no whole answer came back. The message names the error."""


class ApiClient:
    """POST /v3/mail/send under `url` with `key`; `timeout` in seconds for each step of the exchange, `WHOLE` for all.

    The sendgrid package gives the address and the headers. Its own way to send is not used: it opens a connection for each
    request, follows redirects with the key, has no time limit of its own, and at DEBUG it prints the key and every address.
    """

    def __init__(self, key: str, *, url: str, timeout: float) -> None:
        if not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("NEWSLETTER_SENDGRID_API_KEY is not a key")
        package = sendgrid.SendGridAPIClient(key, host=url.rstrip("/"))
        self._url = httpcore2.URL(f"{package.host}/v3/mail/send")
        self._headers = {
            "Host": urlsplit(package.host).netloc,
            "Accept-Encoding": "identity",
            **package.client.request_headers,
            "Content-Type": "application/json",
        }
        self._timeouts = {"timeout": {"read": timeout, "write": timeout}}
        self._connect = connect.connector(self._url, timeout)
        self._connection: connect.Connection | None = None
        self._used = 0
        self._idle_since = 0.0
        self._written = False

    def __call__(self, body: Sequence[bytes]) -> tuple[int, Headers, bytes]:
        """Return the answer's status, headers and body (its first `LARGEST` bytes), whatever its status.

        `body` comes in parts, which are sent one after the other. It is never sent twice, nor after a redirect.

        Raises:
            NotConnected: the request never left.
            NoAnswer: it is unknown what became of it.
        """
        with deadline(WHOLE):
            connection = self._ready()
            try:
                answer = connection.handle_request(self._request(body))
                if not self._written:  # httpcore2 reads an answer even when it could not write the whole request
                    raise httpcore2.WriteError
                beginning = _beginning(answer)
            except (OSError, httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError) as error:
                self.close()
                raise NoAnswer(_name(error)) from None
            except BaseException:
                self.close()  # stopped in the middle: the next request must not read this answer
                raise
            answer.close()  # and the connection with it, if there is more to read
            self._idle_since = time.monotonic()
            return answer.status, _headers(answer.headers), beginning

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ready(self) -> connect.Connection:
        """Return a connection that can take a request: the kept one, or a new one."""
        connection = self._kept()
        if connection is None:
            self.close()
            try:
                connection = self._connection = self._connect()
            except connect.ERRORS as error:
                raise NotConnected(_name(error)) from None
            self._used = 0
        self._used += 1
        return connection

    def _kept(self) -> connect.Connection | None:
        """Return the connection of the last request; None if it is too old, has ended, or brought more than an answer."""
        kept = self._connection
        if kept is None or self._used >= RENEW_AFTER or time.monotonic() - self._idle_since > IDLE:
            return None
        return kept if kept.is_reusable else None

    def _request(self, body: Sequence[bytes]) -> httpcore2.Request:
        headers = {**self._headers, "Content-Length": str(sum(map(len, body)))}
        return httpcore2.Request(
            b"POST",
            self._url,
            headers=[(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()],
            content=self._parts(body),
            extensions=self._timeouts,
        )

    def _parts(self, body: Iterable[bytes]) -> Iterator[bytes]:
        self._written = False
        yield from body
        self._written = True  # reached when the part after the last is asked for


def _beginning(answer: httpcore2.Response) -> bytes:
    """Read the body, or as much of it as is worth reading."""
    body = bytearray()
    for chunk in answer.iter_stream():
        body += chunk
        if len(body) >= LARGEST:
            break
    return bytes(body[:LARGEST])


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    headers = Headers()
    for name, value in raw:
        headers[name.decode("latin-1")] = value.decode("latin-1")
    return headers


def _name(error: Exception) -> str:
    """Name what went wrong, never its message; httpcore2 wraps the system's errors, which say more."""
    return type(error.__cause__ or error).__name__
