"""Delete fetches, closed incidents and unused hosts after 30 days."""

from datetime import datetime, timedelta

from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.lib.pruning import InPieces, Rule, Table, days
from newsletter.models import Citation, Entry, Feed, Fetch, HandItem, Host, Incident, Item, ItemVersion, Story

KEPT = timedelta(days=30)


def prune(*, now: datetime, should_continue: ShouldContinue = never_stop) -> dict[str, int]:
    """Delete what is past its time and return the rows by table. Entries and items stay: they show what is known."""
    before = now - KEPT
    return {
        "fetch": InPieces(should_continue).oldest("fetch", "at", before),
        "incident": Incident.objects.filter(closed_at__lt=before).delete()[0],
        "host": Host.objects.filter(free_at__lt=before).delete()[0],
    }


RULES = (
    Rule(
        "polls of feeds, and their incidents",
        "unencrypted: nothing in it is about a subscriber",
        days(KEPT),
        "to show how a feed is",
        (
            Table(Fetch, lambda now: Fetch.objects.filter(at__lt=now - KEPT)),
            Table(Incident, lambda now: Incident.objects.filter(closed_at__lt=now - KEPT)),
            Table(Host, lambda now: Host.objects.filter(free_at__lt=now - KEPT)),
        ),
        lambda now, should_continue: prune(now=now, should_continue=should_continue),
    ),
    Rule(
        "feeds, entries, items, and what admins typed to publish one",
        "unencrypted: they were published",
        "for good",
        "so that a known entry is never taken for a new one",
        tuple(Table(model) for model in (Feed, Entry, Story, Item, ItemVersion, Citation, HandItem)),
    ),
)
