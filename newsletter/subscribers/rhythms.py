"""Looks and rhythms: rows that many people share, found or made."""

from datetime import datetime

from newsletter.models import Cadence, Look, Rhythm, Subscriber
from newsletter.subscribers.choices import Choices, NextDue

#: Weekday of a rhythm that has none.
NO_WEEKDAY = -1


def look(choices: Choices) -> Look:
    """The shared look of these choices."""
    return Look.objects.get_or_create(locale=choices.locale, format=choices.format, discreet=choices.discreet)[0]


def rhythms(choices: Choices, *, now: datetime, next_due: NextDue) -> tuple[Rhythm, Rhythm]:
    """The shared (daily, weekly) rhythms of these choices; everybody has both, so that a later wish changes one row only."""
    return (
        _rhythm(Cadence.DAILY, choices.zone, choices.hour, NO_WEEKDAY, now, next_due),
        _rhythm(Cadence.WEEKLY, choices.zone, choices.hour, choices.weekday, now, next_due),
    )


def _rhythm(cadence: Cadence, zone: str, hour: int, weekday: int, now: datetime, next_due: NextDue) -> Rhythm:
    due_at = next_due(cadence, zone, hour, weekday, now)
    rhythm, made = Rhythm.objects.get_or_create(
        cadence=cadence, zone=zone, hour=hour, weekday=weekday, defaults={"due_at": due_at}
    )
    if not made and rhythm.due_at <= now and not _in_use(rhythm):
        # nobody was in it, so nobody moved it on: its old slot must not fire for whoever joins today
        Rhythm.objects.filter(id=rhythm.id, due_at=rhythm.due_at).update(due_at=due_at)
        rhythm.refresh_from_db()
    return rhythm


def _in_use(rhythm: Rhythm) -> bool:
    people = Subscriber.objects.filter(state=Subscriber.State.ACTIVE)
    if rhythm.cadence == Cadence.DAILY:
        return people.filter(daily_rhythm=rhythm).exists()
    return people.filter(weekly_rhythm=rhythm).exists()
