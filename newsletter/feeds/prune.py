"""What of feeds is kept no longer: fetches after 30 days, closed incidents and unused hosts likewise."""

from datetime import datetime, timedelta

from newsletter.models import Fetch, Host, Incident

KEPT = timedelta(days=30)


def prune(*, now: datetime) -> dict[str, int]:
    """Delete what is past its time; returns rows by table. Entries and items stay: they tell what is known."""
    before = now - KEPT
    return {
        "fetch": Fetch.objects.filter(at__lt=before).delete()[0],
        "incident": Incident.objects.filter(closed_at__lt=before).delete()[0],
        "host": Host.objects.filter(free_at__lt=before).delete()[0],
    }
