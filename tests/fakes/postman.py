"""SendGrid's other half: it tells a hook what became of the mails that a fake took; late, twice, in any order, some never.

    with Postman(fake, "http://127.0.0.1:8000/hooks/sendgrid", seed=7) as postman:
        ...
        postman.tell_all(60)

A post that is not answered by 2xx is made again, as the real one does it for a day. A repeated event has another
`sg_event_id`.
"""

import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from newsletter.lib.clock import utcnow
from tests.fakes.sendgrid import FakeSendGrid, Mail
from tests.signed import body, event, sign

#: What becomes of a mail: its events.
Fate = Callable[[random.Random, Mail], list[dict[str, Any]]]
#: Events in one post.
MOST = 500


def said(mail: Mail, name: str, **more: str) -> dict[str, Any]:
    """One event of a mail, of this moment."""
    return event(mail.custom_args["d"], name, at=utcnow(), email=mail.recipient, **more)


def ordinary(_chance: random.Random, mail: Mail) -> list[dict[str, Any]]:
    """It was taken, and arrived."""
    return [said(mail, "processed"), said(mail, "delivered")]


class Postman:
    """`lost` and `repeated` are shares of events, `late` seconds at most until an event is posted first."""

    def __init__(
        self,
        fake: FakeSendGrid,
        url: str,
        seed: int,
        *,
        fate: Fate = ordinary,
        lost: float = 0.01,
        repeated: float = 0.15,
        late: float = 1.5,
    ) -> None:
        self._fake, self._url, self._fate = fake, url, fate
        self._random = random.Random(seed)
        self._lost, self._repeated, self._late = lost, repeated, late
        self._seen = 0
        self._waiting: list[tuple[float, dict[str, Any]]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        #: Every event that was told at least once, by its content; how many posts it took, and how long each.
        self.told: list[dict[str, Any]] = []
        self.events = 0
        self.refused = 0
        self.seconds: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def tell_all(self, seconds: float) -> bool:
        """Wait until nothing is left to tell; False when that was not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._seen == len(self._fake.mails) and not self._waiting:
                return True
            time.sleep(0.05)
        return False

    def _run(self) -> None:
        while not self._over.wait(0.1):
            self._collect()
            now = time.monotonic()
            due = [one for when, one in self._waiting if when <= now]
            later = [(when, one) for when, one in self._waiting if when > now]
            self._random.shuffle(due)
            for start in range(0, len(due), MOST):
                part = due[start : start + MOST]
                if not self._post(part):
                    later += [(now + 1, one) for one in part]
            self._waiting = later

    def _collect(self) -> None:
        fresh = self._fake.mails[self._seen :]
        now = time.monotonic()
        for mail in fresh:
            for one in self._fate(self._random, mail):
                if self._random.random() < self._lost:
                    continue
                self.told.append(one)
                times = 2 if self._random.random() < self._repeated else 1
                self._waiting += [
                    (
                        now + self._random.uniform(0, self._late),
                        one | {"sg_event_id": f"{self._random.getrandbits(96):x}"},
                    )
                    for _ in range(times)
                ]
        self._seen += len(fresh)

    def _post(self, events: list[dict[str, Any]]) -> bool:
        self.events += len(events)
        took = post(self._url, events)
        if took is None:
            self.refused += 1
            return False
        self.seconds.append(took)
        return True


def post(url: str, events: list[dict[str, Any]]) -> float | None:
    """Post these events, signed; seconds until the 2xx, None when there was none."""
    raw = body(events)
    signature, timestamp = sign(raw, utcnow())
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    began = time.monotonic()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, raw, headers), timeout=20):  # noqa: S310 - our own address
            return time.monotonic() - began
    except (urllib.error.URLError, OSError):
        return None
