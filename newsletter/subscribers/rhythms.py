"""Looks and rhythms: rows shared by all who chose the same, found or created."""

from newsletter.models import Cadence, Look, Rhythm, Subscriber
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.subscribing import Subscribing

#: Weekday of a daily rhythm.
NO_WEEKDAY = -1


def look(choices: Choices) -> Look:
    """The shared look of these choices."""
    return Look.objects.get_or_create(locale=choices.locale, format=choices.format, discreet=choices.discreet)[0]


def rhythms(mail_time: MailTime, subscribing: Subscribing) -> tuple[Rhythm, Rhythm]:
    """The shared (daily, weekly) rhythms of a mail time. Everybody has both, so that a later change touches one row only."""
    return (
        _rhythm(Cadence.DAILY, mail_time, NO_WEEKDAY, subscribing),
        _rhythm(Cadence.WEEKLY, mail_time, mail_time.weekday, subscribing),
    )


def _rhythm(cadence: Cadence, mail_time: MailTime, weekday: int, subscribing: Subscribing) -> Rhythm:
    zone, hour, now = mail_time.zone, mail_time.hour, subscribing.now
    due_at = subscribing.next_due(cadence, zone, hour, weekday, now)
    rhythm, created = Rhythm.objects.get_or_create(
        cadence=cadence, zone=zone, hour=hour, weekday=weekday, defaults={"due_at": due_at}
    )
    if not created and rhythm.due_at <= now and not _in_use(rhythm):
        # Nobody was in it, so nothing moved it on. Its old slot must not come due for whoever joins today.
        Rhythm.objects.filter(id=rhythm.id, due_at=rhythm.due_at).update(due_at=due_at)
        rhythm.refresh_from_db()
    return rhythm


def _in_use(rhythm: Rhythm) -> bool:
    active = Subscriber.objects.filter(state=Subscriber.State.ACTIVE)
    if rhythm.cadence == Cadence.DAILY:
        return active.filter(daily_rhythm=rhythm).exists()
    return active.filter(weekly_rhythm=rhythm).exists()
