"""Open a connection to SendGrid: directly, or through the environment's proxy."""

import base64
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

import httpcore2

from newsletter.lib.deadline import TimedStream, remaining

#: What may go wrong before a connection is there: nothing of a request has left then.
ERRORS: Final = (OSError, httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError)


@dataclass(frozen=True)
class Proxy:
    """A proxy that opens tunnels (RFC 9110, 9.3.6). `login` is `user:password`, or empty."""

    host: str
    port: int
    login: str = ""


class Connection(httpcore2.HTTP11Connection):
    """A connection that says whether it can take another request."""

    @property
    def is_reusable(self) -> bool:
        """False if it ended, or more came than the last answer: that would be read as the answer to the next request."""
        surplus, _ = self._h11_state.trailing_data  # what h11 has read already; `has_expired` sees what it has not
        return self.is_idle() and not self.has_expired() and not surplus


def connector(url: httpcore2.URL, timeout: float) -> Callable[[], Connection]:
    """Return what opens a connection to the server of `url`; `timeout` is in seconds, for each step.

    A proxy of the environment is used for https only, where it is a tunnel and cannot read along.
    """
    host = url.host.decode("ascii")
    secure = url.scheme == b"https"
    tls = ssl.create_default_context() if secure else None
    proxy = _proxy_for(host) if secure else None

    def connect() -> Connection:
        """Raises one of `ERRORS`; the connection is closed then."""
        via = (proxy.host, proxy.port) if proxy else (host, url.origin.port)
        stream: httpcore2.NetworkStream = TimedStream(httpcore2.SyncBackend().connect_tcp(*via, remaining(timeout)))
        try:
            if proxy:
                stream = _tunnel(stream, proxy, url.origin, timeout)
            if tls:
                stream = stream.start_tls(tls, server_hostname=host, timeout=timeout)
            remaining()
        except BaseException:
            stream.close()
            raise
        return Connection(url.origin, stream)

    return connect


def _proxy_for(host: str) -> Proxy | None:
    proxy = urlsplit(urllib.request.getproxies().get("https", ""))
    if not proxy.hostname or urllib.request.proxy_bypass(host):
        return None
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else ""
    return Proxy(proxy.hostname, proxy.port or 443, login)


def _tunnel(
    stream: httpcore2.NetworkStream, proxy: Proxy, to: httpcore2.Origin, timeout: float
) -> httpcore2.NetworkStream:
    """Ask the proxy behind `stream` for a tunnel; raises OSError when it refuses."""
    target = b"%b:%d" % (to.host, to.port)
    login = [(b"Proxy-Authorization", b"Basic " + base64.b64encode(proxy.login.encode()))] if proxy.login else []
    origin = httpcore2.Origin(b"http", proxy.host.encode("ascii"), proxy.port)
    request = httpcore2.Request(
        b"CONNECT",
        httpcore2.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target),
        headers=[(b"Host", target), *login],
        extensions={"timeout": {"read": timeout, "write": timeout}},
    )
    answer = httpcore2.HTTP11Connection(origin, stream).handle_request(request)
    if not 200 <= answer.status < 300:
        raise OSError(f"the proxy answered {answer.status}")
    tunnel: httpcore2.NetworkStream = answer.extensions["network_stream"]
    return tunnel
