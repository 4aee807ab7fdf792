"""One poll of all feeds at a time: a short lease that its holder renews, so that a dead holder stops nobody for long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.models import Pulse

NAME = "poll"
SECONDS = 30


@dataclass
class Lease:
    """Held until `until`, unless it is renewed."""

    until: datetime

    def renew(self, now: datetime) -> bool:
        """Hold it for longer; False when somebody else has it by now. Asks the database in good time only."""
        if now < self.until - timedelta(seconds=SECONDS / 2):
            return True
        until = now + timedelta(seconds=SECONDS)
        if not Pulse.objects.filter(name=NAME, at=self.until).update(at=until):
            return False
        self.until = until
        return True

    def end(self, now: datetime) -> None:
        """Give it back."""
        Pulse.objects.filter(name=NAME, at=self.until).update(at=now)


def take(now: datetime) -> Lease | None:
    """Take the lease; None while another poll has it."""
    Pulse.objects.get_or_create(name=NAME, defaults={"at": now})
    until = now + timedelta(seconds=SECONDS)
    return Lease(until) if Pulse.objects.filter(name=NAME, at__lte=now).update(at=until) else None
