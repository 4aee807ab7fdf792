"""One request at a time per host: a host is taken, used and given back, whichever process asks."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from newsletter.lib import db
from newsletter.models import Host

#: A host that nobody gave back is free again after this: its worker died.
TAKEN = timedelta(minutes=5)


def name_of(url: str) -> str:
    """The host of a feed's URL, as it is counted: ports and `www.` make no difference."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def take(name: str, *, now: datetime) -> datetime | None:
    """Take a host, to be given back before the moment returned; None while somebody has it, or while it wants no visits."""
    until = now + TAKEN
    if db.execute("UPDATE host SET free_at = %s WHERE name = %s AND free_at <= %s", [until, name, now]):
        return until
    if not Host.objects.filter(name=name).exists():
        Host.objects.bulk_create([Host(name=name, free_at=now)], ignore_conflicts=True)
        return take(name, now=now)
    return None


def give_back(name: str, until: datetime, *, free_at: datetime) -> None:
    """Give back what `take` gave `until`; nobody asks the host before `free_at`."""
    db.execute("UPDATE host SET free_at = %s WHERE name = %s AND free_at = %s", [free_at, name, until])


def busy(*, now: datetime) -> frozenset[str]:
    """Hosts that nobody may ask now."""
    return frozenset(Host.objects.filter(free_at__gt=now).values_list("name", flat=True))
