"""The link of a confirmation: what it would do, and doing it once."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.models import Cadence, Consent, Notice, Subscriber, Topic
from newsletter.subscribers import people
from newsletter.subscribers.choices import Choices, NextDue, OwnTopic, read
from newsletter.subscribers.tokens import Expired, Used, Wrong, find_notice
from newsletter.vault import Vault

#: Of the words on the subscribe page that somebody agrees to. Raise it when they change.
WORDING = 1


@dataclass(frozen=True)
class Open:
    """The link works: `kind` is confirm or add; `names` are those of the chosen topics."""

    kind: str
    choices: Choices
    names: tuple[str, ...]


@dataclass(frozen=True)
class Confirmed:
    """Done. `next_due` is the coming slot of a daily or weekly mail, None for immediate."""

    subscriber_id: int
    kind: str
    cadence: Cadence
    zone: str
    next_due: datetime | None


def look(token: str, *, now: datetime, vault: Vault) -> Open | Expired | Used | Wrong:
    """What pressing the button would do; changes nothing."""
    found = _usable(token, now, vault)
    if not isinstance(found, Notice):
        return found
    choices = choices_of(found, vault)
    names = Topic.objects.filter(id__in=choices.topic_ids, state=Topic.State.ACTIVE).order_by("name")
    return Open(found.kind, choices, tuple(topic.name or "" for topic in names))


def press(
    token: str, *, now: datetime, vault: Vault, own_topic: OwnTopic, next_due: NextDue
) -> Confirmed | Expired | Used | Wrong:
    """Apply the choices of a confirmation, once.

    A new person also gets the look and rhythms they chose; who only adds keeps theirs.
    """
    with transaction.atomic():
        notice = _usable(token, now, vault)
        if not isinstance(notice, Notice):
            return notice
        # what was asked for becomes what is followed: the notice needs it no longer
        done = {"used_at": now, "choices_cipher": None, "key_id": None}
        if not Notice.objects.filter(id=notice.id, used_at=None).update(**done):
            return Used()
        person = Subscriber.objects.select_for_update().get(id=notice.subscriber_id)
        choices = choices_of(notice, vault)
        admit(person, choices, keep=notice.kind == Notice.Kind.ADD, what=notice.kind, now=now, next_due=next_due)
        people.follow_all(person, choices, own_topic=own_topic, source="page", now=now)
        # an older confirmation pressed later would bring back choices that were replaced
        Notice.objects.filter(subscriber=person, kind=Notice.Kind.CONFIRM, used_at=None).update(**done)
        return _confirmed(person, notice.kind, choices.cadence)


def admit(person: Subscriber, choices: Choices, *, keep: bool, what: str, now: datetime, next_due: NextDue) -> None:
    """Make a person active who said yes, and write down to what. `keep` leaves look and rhythms as they are."""
    if not (keep and person.state == Subscriber.State.ACTIVE):
        people.settle(person, choices, now=now, next_due=next_due)
    person.state = Subscriber.State.ACTIVE
    person.confirmed_at = person.confirmed_at or now
    person.consent_version, person.left_at = WORDING, None
    changed = ("look", "daily_rhythm", "weekly_rhythm", "state", "confirmed_at", "consent_version", "left_at")
    person.save(update_fields=changed)
    Consent.objects.create(subscriber=person, what=what, wording_version=WORDING, at=now)
    people.lift(bytes(person.address_index), now)


def choices_of(notice: Notice, vault: Vault) -> Choices:
    """The choices sealed in a confirmation."""
    if notice.choices_cipher is None or notice.key_id is None:
        raise ValueError(f"notice {notice.id} holds no choices")
    return read(vault.open(notice.key_id, notice.choices_cipher, handle=bytes(notice.nonce), column="choices"))


def _usable(token: str, now: datetime, vault: Vault) -> Notice | Expired | Used | Wrong:
    notice = find_notice(token, vault)
    if notice is None or notice.kind == Notice.Kind.MANAGE:
        return Wrong()
    if notice.used_at is not None:
        return Used()
    return Expired() if notice.expires_at <= now else notice


def _confirmed(person: Subscriber, kind: str, cadence: Cadence) -> Confirmed:
    slot = {Cadence.DAILY: person.daily_rhythm, Cadence.WEEKLY: person.weekly_rhythm}.get(cadence)
    return Confirmed(person.id, kind, cadence, person.daily_rhythm.zone, slot.due_at if slot else None)
