"""SMTP: one recipient per transaction over a few kept connections, spoken to at once; what was not taken is told from doubt."""

import select
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, parse_qs

from newsletter.lib import mail_headers
from newsletter.lib.clock import utcnow
from newsletter.lib.provider_interface import Deferred, Outcome, Parcel
from newsletter.lib.window_record import Slot
from newsletter.providers.prepared_messages import PreparedLetters
from newsletter.providers.smtp.connect import Line
from newsletter.providers.smtp.session import Talk
from newsletter.providers.smtp.window import Window

#: Connections where the URL names no number; each process has as many.
CONNECTIONS: Final = 2
#: Transactions before a connection is renewed: some servers count them, and drop one in the middle.
RENEW_AFTER: Final = 100
#: Seconds after which no further mail of a window leaves, so that its last answer still comes within the batch's lease.
BEGIN_WITHIN: Final = 200.0
#: Seconds without another try after a server refused one more connection.
FEWER_FOR: Final = 60.0
#: Mails that make one more connection worth its while.
MAILS_EACH: Final = 5


class Smtp:
    """A mail server, given one recipient per transaction.

    `url` is smtp://USER:PASSWORD@HOST:PORT (STARTTLS where offered) or smtps:// (TLS from the first byte). `timeout` is for
    each reply, `answer_within` for the one after the final dot, in seconds (RFC 5321, 4.5.3.2.6). In the URL's query,
    `connections` says how many are kept, `per_domain` how many transactions may be under way for one recipient domain.
    `record` gives what is told how far each window got.
    """

    name: str = "smtp"
    number: int = 2
    window: int | None = 50
    one_letter: bool = False

    def __init__(
        self,
        url: SplitResult,
        sender: mail_headers.Sender,
        *,
        clock: Callable[[], datetime] = utcnow,
        timeout: float = 30.0,
        answer_within: float = 600.0,
        ca_file: str | None = None,
        record: Callable[[], Slot | None] = lambda: None,
    ) -> None:
        self._line = Line(url, hello=sender.domain, timeout=timeout, ca_file=ca_file)
        self._sender = sender
        self._envelope = mail_headers.ascii_address(sender.address)
        self._clock = clock
        self._timeout = timeout
        self._answer_within = answer_within
        options = parse_qs(url.query)
        self._connections = int(options.get("connections", [CONNECTIONS])[0])
        self._per_domain = int(options["per_domain"][0]) if "per_domain" in options else None
        self._letters = PreparedLetters(sender)
        self._record = record
        self._talks: list[Talk] = []
        self._fewer_until = 0.0
        self._watch = select.poll()
        self._watched: list[Talk] = []
        self._by_file: dict[int, Talk] = {}

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Hand each parcel over in a transaction of its own; when no connection is left, the rest is not begun."""
        until = time.monotonic() + BEGIN_WITHIN
        window = Window(
            list(parcels),
            self._letters,
            self._clock(),
            until=until,
            per_domain=self._per_domain,
            record=self._record(),
        )
        whole = False
        try:
            self._connect(min(self._connections, -(-len(parcels) // MAILS_EACH)), window)
            while self._turn(window):
                pass
            whole = True
        finally:
            if not whole:  # something unexpected: the next command must not become part of a mail
                for talk in self._talks:
                    talk.close()
            self._talks = [talk for talk in self._talks if talk.open]
        return dict(window.outcomes())

    def close(self) -> None:
        """Say goodbye, if anybody is there."""
        for talk in self._talks:
            talk.leave()
        self._talks = []

    def _connect(self, wanted: int, window: Window) -> None:
        """So many connections, of which one must be; those kept from the window before may be dead, and are given up."""
        for talk in self._talks:
            if not talk.alive():
                talk.close()
        self._talks = [talk for talk in self._talks if talk.open]
        if self._talks and time.monotonic() < self._fewer_until:
            return
        while len(self._talks) < wanted:
            opened = self._opened()
            if isinstance(opened, Deferred):
                if not self._talks or opened.pause:
                    window.stop(opened)
                self._fewer_until = time.monotonic() + FEWER_FOR  # a server may well allow fewer
                return
            self._talks.append(opened)

    def _opened(self) -> Talk | Deferred:
        server = self._line.open()
        if isinstance(server, Deferred):
            return server
        return Talk(server, self._envelope, timeout=self._timeout, answer_within=self._answer_within)

    def _turn(self, window: Window) -> bool:
        """Begin where nothing is under way, then listen to who has something to say; False: all is told."""
        for place, talk in enumerate(self._talks):
            if talk.open and not talk.busy and not window.over:
                if talk.transactions >= RENEW_AFTER:
                    talk = self._renewed(place, window)
                if talk.open:
                    talk.begin(window)
        busy = [talk for talk in self._talks if talk.busy]
        if not busy:
            return not window.over and any(talk.open for talk in self._talks)
        first_due = min([talk.due for talk in busy])
        for talk in self._who_speaks(busy, first_due - time.monotonic()):
            talk.listen(window, last=talk.transactions >= RENEW_AFTER)
        now = time.monotonic()
        for talk in busy if now >= first_due else ():
            if talk.busy and talk.due <= now:
                talk.lost(window, "timed out")
        return True

    def _who_speaks(self, busy: list[Talk], seconds: float) -> list[Talk]:
        """Who of them has something to say, after so many seconds at most."""
        if busy != self._watched:
            self._watched, self._watch = busy, select.poll()
            self._by_file = {talk.fileno(): talk for talk in busy}
            for file in self._by_file:
                self._watch.register(file, select.POLLIN)
        return [self._by_file[file] for file, _ in self._watch.poll(max(0.0, seconds) * 1000)]

    def _renewed(self, place: int, window: Window) -> Talk:
        """A fresh connection instead of one that had enough; where none comes to be, the closed one stays."""
        self._talks[place].leave()
        opened = self._opened()
        if isinstance(opened, Deferred):
            if opened.pause or not any(talk.open for talk in self._talks):
                window.stop(opened)
        else:
            self._talks[place] = opened
        return self._talks[place]
