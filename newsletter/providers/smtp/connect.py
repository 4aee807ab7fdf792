"""Connect to a mail server and log in. A failure here proves that no mail was taken."""

import contextlib
import errno
import ipaddress
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import SplitResult, parse_qs, unquote

from newsletter.lib.mail.provider_interface import Deferred

_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")
_QUIT_WITHIN = 2.0


def reply_code(code: int, text: bytes) -> str:
    """Return a reply's code and enhanced code (RFC 3463), never its text, which may hold an address."""
    return f"{code} {enhanced_status(text)}".rstrip()


def enhanced_status(text: bytes) -> str:
    """Return the enhanced status code (RFC 3463) at the start of a reply's text, or an empty string."""
    status = _ENHANCED.match(text)
    return status[0].decode() if status else ""


def why(error: Exception) -> str:
    """Describe an error in words that hold no name and no address."""
    match error:
        case smtplib.SMTPResponseException():
            detail = error.smtp_error
            return reply_code(error.smtp_code, detail if isinstance(detail, bytes) else detail.encode())
        case ssl.SSLCertVerificationError():
            return f"the certificate is not trusted (code {error.verify_code})"
        case ssl.SSLError():
            return "TLS failed"
        case TimeoutError():
            return "timed out"
        case socket.gaierror():
            return "the host name does not resolve"
        case smtplib.SMTPServerDisconnected():
            return "the connection was lost"
        case OSError(errno=int(number)) if number in errno.errorcode:
            return errno.errorcode[number]
    return type(error).__name__


@dataclass(frozen=True)
class _Login:
    user: str = field(repr=False)
    password: str = field(repr=False)


class Connector:
    """Opens connections to one server. `tls=no` in the URL's query leaves STARTTLS out, on this machine only."""

    def __init__(self, url: SplitResult, *, hello: str, timeout: float, ca_file: str | None = None) -> None:
        self._host = url.hostname or ""
        self._implicit = url.scheme == "smtps"
        self._login = _Login(unquote(url.username), unquote(url.password or "")) if url.username else None
        self._port = url.port or (465 if self._implicit else 587 if self._login else 25)
        self._hello = hello
        self._timeout = timeout
        self._context = _tls_context(ca_file)
        self._is_local = _is_loopback(self._host)
        self._upgrade = not (self._is_local and parse_qs(url.query).get("tls") == ["no"])

    def connect(self) -> smtplib.SMTP | Deferred:
        """Open a connection, encrypt it where possible and log in; or return why that failed."""
        server: smtplib.SMTP | None = None
        step = "connect"
        try:
            server = self._open()
            step = "EHLO"
            server.ehlo_or_helo_if_needed()
            step = "STARTTLS"
            if refusal := self._secure(server):
                _quit(server)
                return refusal
            step = "AUTH"
            if self._login is not None:
                server.login(self._login.user, self._login.password)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            if server is not None:
                server.close()
            return _failure(step, error)
        return server

    def _open(self) -> smtplib.SMTP:
        server: smtplib.SMTP
        if self._implicit:
            server = smtplib.SMTP_SSL(
                self._host, self._port, local_hostname=self._hello, timeout=self._timeout, context=self._context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, local_hostname=self._hello, timeout=self._timeout)
        if server.sock is not None:  # no write may wait for the acknowledgement of the one before (Nagle)
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server

    def _secure(self, server: smtplib.SMTP) -> Deferred | None:
        if self._implicit or not self._upgrade:
            return None
        if server.has_extn("starttls"):
            server.starttls(context=self._context)
            server.ehlo_or_helo_if_needed()
        elif self._login is not None and not self._is_local:
            return Deferred(
                "the mail server offers no STARTTLS, and a password is not sent in the clear: "
                "write smtps:// or another port in NEWSLETTER_MAIL_URL",
                pause=True,
            )
        return None


def _quit(server: smtplib.SMTP) -> None:
    """Send QUIT and close; the reply does not matter."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(_QUIT_WITHIN)
        server.quit()
    server.close()


def _failure(step: str, error: Exception) -> Deferred:
    # smtplib raises a bare SMTPException if no method of authentication fits
    cannot = isinstance(error, smtplib.SMTPNotSupportedError | UnicodeError) or type(error) is smtplib.SMTPException
    if step == "AUTH" and cannot:
        return Deferred("AUTH: the server offers no way to log in with this user and password", pause=True)
    if isinstance(error, smtplib.SMTPAuthenticationError) and 500 <= error.smtp_code < 600:
        return Deferred(f"AUTH: {why(error)}: check user and password in NEWSLETTER_MAIL_URL", pause=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Deferred(f"{step}: {why(error)}: name the host as its certificate does, or trust it by SSL_CERT_FILE")
    return Deferred(f"{step}: {why(error)}")


@cache
def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Cached: reading the trusted certificates takes 20 ms."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
