"""One POST to SendGrid through its own package, made strict: no redirects, a time limit, and a word for "never connected"."""

import http.client
import logging
import urllib.request
from typing import Any
from urllib.error import URLError

import python_http_client
import python_http_client.exceptions
import sendgrid

#: Headers of an answer.
Headers = http.client.HTTPMessage


class NotConnected(OSError):
    """No connection came to be, so not one byte of the request can have been read."""


class NoAnswer(Exception):
    """The request left, wholly or in part, and no whole answer came back. Says what was seen instead."""


class _Http(http.client.HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except OSError as error:
            raise NotConnected(type(error).__name__) from None


class _Https(http.client.HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()  # with the proxy's tunnel and the TLS handshake
        except OSError as error:
            raise NotConnected(type(error).__name__) from None


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Http, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Https, req)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would send the key along to wherever the answer points."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


class _Client(python_http_client.Client):  # type: ignore[misc] # the package has no types
    """The package's client with our way to open a URL; it copies itself for each step of a path."""

    def _build_client(self, name: str | None = None) -> "_Client":
        return _Client(
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
            timeout=self.timeout,
        )

    def _make_request(self, _opener: object, request: urllib.request.Request, timeout: float | None = None) -> Any:
        # a proxy only for TLS, where it is a tunnel and cannot read along
        proxies = {kind: url for kind, url in urllib.request.getproxies().items() if kind == "https"}
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies), _HttpHandler(), _HttpsHandler(), _NoRedirect()
        )
        return super()._make_request(opener, request, timeout=timeout)


class Post:
    """POST /v3/mail/send under `url` with `key`; `timeout` in seconds for each step of the exchange."""

    def __init__(self, key: str, *, url: str, timeout: float) -> None:
        if not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("NEWSLETTER_SENDGRID_API_KEY is not a key")
        plain = sendgrid.SendGridAPIClient(key, host=url.rstrip("/"))
        self._client = _Client(
            host=plain.host, version=3, request_headers=plain.client.request_headers, timeout=timeout
        )

    def __call__(self, body: dict[str, Any]) -> tuple[int, Headers, bytes]:
        """Status, headers and body of the answer, whatever its status.

        Raises:
            NotConnected: the request never left.
            NoAnswer: nobody can say what became of it.
        """
        for name in ("python_http_client", "python_http_client.client"):
            logging.getLogger(name).setLevel(logging.WARNING)  # below, it prints the key and every address
        try:
            answer = self._client.mail.send.post(request_body=body)
        except python_http_client.exceptions.HTTPError as error:
            return error.status_code, error.headers, error.body
        except URLError as error:
            if isinstance(error.reason, NotConnected):
                raise error.reason from None
            raise NoAnswer(type(error.reason).__name__) from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(type(error).__name__) from None
        return answer.status_code, answer.headers, answer.body
