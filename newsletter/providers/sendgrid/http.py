"""One POST to SendGrid on a kept connection: strict, with a time limit, and a word for "never connected"."""

import base64
import http.client
import select
import ssl
import time
import urllib.request
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import sendgrid

from newsletter.providers.deadline import Deadline

#: Headers of an answer.
Headers = http.client.HTTPMessage
#: Seconds for which a connection waits for the next request. Servers let go of one after some, and a request that meets
#: its end in the middle is a doubt: so we are well before them.
IDLE: Final = 3.0
#: Requests before a connection is renewed: servers count them too.
RENEW_AFTER: Final = 500
#: Seconds for a whole exchange, far below the lease of a request.
WHOLE: Final = 60.0
#: Bytes of an answer that are read: an error's words are some hundred.
LARGEST: Final = 65_536


class NotConnected(OSError):
    """No connection came to be, so not one byte of the request can have been read."""


class NoAnswer(Exception):
    """The request left, wholly or in part, and no whole answer came back. Says what was seen instead."""


class Post:
    """POST /v3/mail/send under `url` with `key`; `timeout` in seconds for each step of the exchange, `WHOLE` for all.

    The package gives the address and the headers. Its own way to send is left alone: it opens a connection for each
    request, follows redirects with the key, has no time limit of its own, and at DEBUG it prints the key and every address.
    """

    def __init__(self, key: str, *, url: str, timeout: float) -> None:
        if not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("NEWSLETTER_SENDGRID_API_KEY is not a key")
        package = sendgrid.SendGridAPIClient(key, host=url.rstrip("/"))
        place = urlsplit(package.host)
        self._path = f"{place.path}/v3/mail/send"
        self._headers = {**package.client.request_headers, "Content-Type": "application/json"}
        self._connection = _connection(place, timeout)
        self._deadline = Deadline(timeout, WHOLE)
        self._deadline.follow(self._connection)
        self._used = 0
        self._idle_since = 0.0

    def __call__(self, body: Sequence[bytes]) -> tuple[int, Headers, bytes]:
        """Status, headers and body (its beginning) of the answer, whatever its status. Never sent twice, never sent elsewhere.

        `body` comes in parts, which are sent one after the other.

        Raises:
            NotConnected: the request never left.
            NoAnswer: nobody can say what became of it.
        """
        self._deadline.begin()
        connection = self._ready()
        headers = {**self._headers, "Content-Length": str(sum(map(len, body)))}
        try:
            connection.request("POST", self._path, self._deadline.pieces(connection, body), headers)
            answer = connection.getresponse()
            whole = _beginning(answer)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(type(error).__name__) from None
        except BaseException:
            self.close()  # stopped in the middle: what comes next must not read this answer
            raise
        if not answer.isclosed():
            self.close()  # what is left of it must not be taken for the next one
        self._idle_since = time.monotonic()
        return answer.status, answer.headers, whole

    def close(self) -> None:
        """Let go of the connection; the next request opens another."""
        self._connection.close()

    def _ready(self) -> http.client.HTTPConnection:
        """Connected, by a connection that was not ended meanwhile."""
        connection = self._connection
        waited = time.monotonic() - self._idle_since
        if connection.sock is not None and (waited > IDLE or self._used >= RENEW_AFTER or _ended(connection)):
            connection.close()
        if connection.sock is None:
            self._used = 0
            try:
                connection.connect()  # with the proxy's tunnel and the TLS handshake
                self._deadline.left()
            except OSError as error:
                connection.close()
                raise NotConnected(type(error).__name__) from None
        self._used += 1
        return connection


def _beginning(answer: http.client.HTTPResponse) -> bytes:
    """The body, or as much of it as is worth reading."""
    found = answer.read(LARGEST)
    if answer.length and len(found) < LARGEST:
        raise http.client.IncompleteRead(found, answer.length)
    return found


def _ended(connection: http.client.HTTPConnection) -> bool:
    """Whether something waits to be read: on a connection where nothing was asked that is its end, or nothing to trust."""
    watch = select.poll()
    watch.register(connection.sock, select.POLLIN)
    return bool(watch.poll(0))


def _connection(place: SplitResult, timeout: float) -> http.client.HTTPConnection:
    """Not opened yet. A proxy of the environment only for TLS, where it is a tunnel and cannot read along."""
    host = place.hostname or ""
    if place.scheme != "https":
        return http.client.HTTPConnection(host, place.port, timeout=timeout)
    context = ssl.create_default_context()
    proxy = urlsplit(urllib.request.getproxies().get("https", ""))
    if not proxy.hostname or urllib.request.proxy_bypass(host):
        return http.client.HTTPSConnection(host, place.port, timeout=timeout, context=context)
    through = http.client.HTTPSConnection(proxy.hostname, proxy.port, timeout=timeout, context=context)
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else ""
    known = {"Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    through.set_tunnel(host, place.port or 443, headers=known)
    return through
