"""SMTP provider: one recipient per transaction, over a few kept connections that are used in parallel."""

import select
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, parse_qs

from newsletter.lib.clock import utcnow
from newsletter.lib.mail import headers
from newsletter.lib.mail.provider_interface import Deferred, Outcome, Parcel
from newsletter.lib.mail.window_record import Slot
from newsletter.providers.prepared_messages import PreparedLetters
from newsletter.providers.smtp.connect import Connector
from newsletter.providers.smtp.session import Session
from newsletter.providers.smtp.window import Window

#: Connections per process, if the URL does not say.
CONNECTIONS: Final = 2
#: Transactions before a connection is renewed: some servers limit them, and drop the connection within a mail.
RENEW_AFTER: Final = 100
#: Seconds after which no further mail of a window is written, so that the last answer comes within the batch's lease.
BEGIN_WITHIN: Final = 200.0
#: Seconds for which no further connection is tried after the server refused one.
FEWER_FOR: Final = 60.0
#: Mails of a window per connection, at least.
MAILS_EACH: Final = 5


class Smtp:
    """A mail server.

    `url` is smtp://USER:PASSWORD@HOST:PORT (STARTTLS where offered) or smtps:// (TLS from the first byte). In its query,
    `connections` is how many connections are kept, and `per_domain` how many transactions may be under way for one recipient
    domain. `timeout` is for each reply, `answer_within` for the one after the final dot, in seconds (RFC 5321, 4.5.3.2.6).
    `record` returns where the progress of a window is stored.
    """

    name: str = "smtp"
    number: int = 2
    window: int | None = 50
    one_letter: bool = False

    def __init__(
        self,
        url: SplitResult,
        sender: headers.SenderIdentity,
        *,
        clock: Callable[[], datetime] = utcnow,
        timeout: float = 30.0,
        answer_within: float = 600.0,
        ca_file: str | None = None,
        record: Callable[[], Slot | None] = lambda: None,
    ) -> None:
        self._connector = Connector(url, hello=sender.domain, timeout=timeout, ca_file=ca_file)
        self._sender = sender
        self._envelope_from = headers.ascii_address(sender.address)
        self._clock = clock
        self._timeout = timeout
        self._answer_within = answer_within
        options = parse_qs(url.query)
        self._connections = int(options.get("connections", [CONNECTIONS])[0])
        self._per_domain = int(options["per_domain"][0]) if "per_domain" in options else None
        self._letters = PreparedLetters(sender)
        self._record = record
        self._sessions: list[Session] = []
        self._fewer_until = 0.0
        self._poll = select.poll()
        self._polled: list[Session] = []
        self._by_fileno: dict[int, Session] = {}

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Send each parcel in a transaction of its own. If every connection is lost, the rest is not begun."""
        until = time.monotonic() + BEGIN_WITHIN
        window = Window(
            list(parcels),
            self._letters,
            self._clock(),
            until=until,
            per_domain=self._per_domain,
            record=self._record(),
        )
        finished = False
        try:
            self._connect(min(self._connections, -(-len(parcels) // MAILS_EACH)), window)
            while self._turn(window):
                pass
            finished = True
        finally:
            if not finished:  # an unexpected error: the next command must not become part of a mail
                for session in self._sessions:
                    session.close()
            self._sessions = [session for session in self._sessions if session.open]
        return dict(window.outcomes())

    def close(self) -> None:
        """Close all connections with QUIT."""
        for session in self._sessions:
            session.quit()
        self._sessions = []

    def _connect(self, wanted: int, window: Window) -> None:
        """Open up to `wanted` connections, and drop kept ones that died; stop the window if there is none."""
        for session in self._sessions:
            if not session.is_alive():
                session.close()
        self._sessions = [session for session in self._sessions if session.open]
        if self._sessions and time.monotonic() < self._fewer_until:
            return
        while len(self._sessions) < wanted:
            opened = self._open_session()
            if isinstance(opened, Deferred):
                if not self._sessions or opened.pause:
                    window.stop(opened)
                self._fewer_until = time.monotonic() + FEWER_FOR  # the server may allow fewer than are set
                return
            self._sessions.append(opened)

    def _open_session(self) -> Session | Deferred:
        server = self._connector.connect()
        if isinstance(server, Deferred):
            return server
        return Session(
            server,
            self._envelope_from,
            timeout=self._timeout,
            answer_within=self._answer_within,
            renew_after=RENEW_AFTER,
        )

    def _turn(self, window: Window) -> bool:
        """Begin mails on idle connections, then read the replies that came; False if nothing is left to do."""
        for index, session in enumerate(self._sessions):
            if session.open and not session.busy and not window.over:
                if session.needs_renewal:
                    session = self._renew(index, window)
                if session.open:
                    session.begin(window)
        busy = [session for session in self._sessions if session.busy]
        if not busy:
            return not window.over and any(session.open for session in self._sessions)
        first_due = min([session.due for session in busy])
        for session in self._readable(busy, first_due - time.monotonic()):
            session.listen(window)
        now = time.monotonic()
        for session in busy if now >= first_due else ():
            if session.busy and session.due <= now:
                session.lost(window, "timed out")
        return True

    def _readable(self, busy: list[Session], seconds: float) -> list[Session]:
        """Wait up to `seconds` for replies; return the sessions that have some."""
        if busy != self._polled:
            self._polled, self._poll = busy, select.poll()
            self._by_fileno = {session.fileno(): session for session in busy}
            for fileno in self._by_fileno:
                self._poll.register(fileno, select.POLLIN)
        return [self._by_fileno[fileno] for fileno, _ in self._poll.poll(max(0.0, seconds) * 1000)]

    def _renew(self, index: int, window: Window) -> Session:
        """Replace a connection by a new one; if there is none, the closed one stays in its place."""
        self._sessions[index].quit()
        opened = self._open_session()
        if isinstance(opened, Deferred):
            if opened.pause or not any(session.open for session in self._sessions):
                window.stop(opened)
        else:
            self._sessions[index] = opened
        return self._sessions[index]
