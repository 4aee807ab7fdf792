"""The link of a confirmation: what it would do, and doing it once."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.lib.crypto import Vault, constant_time_equal
from newsletter.models import Cadence, Consent, Notice, SignUpRequest, Subscriber, Topic
from newsletter.subscribers import people
from newsletter.subscribers.choices import Choices, NextDue, OwnTopic, from_json, to_json
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.tokens import Expired, Used, Wrong, find_notice

#: Of the words on the subscribe page that somebody agrees to. Raise it when they change.
WORDING = 1
_ASKING = (Notice.Kind.CONFIRM, Notice.Kind.ADD)


@dataclass(frozen=True)
class Open:
    """The link works: `kind` is confirm or add; `names` are those of the chosen topics."""

    kind: str
    choices: Choices
    names: tuple[str, ...]
    #: Keyed hash of all of the above, for the button: it does what was shown or nothing.
    fingerprint: str


@dataclass(frozen=True)
class Confirmed:
    """Done: `shown` has started. `next_due` is the coming slot of a daily or weekly mail, None for immediate."""

    subscriber_id: int
    shown: Open
    zone: str
    next_due: datetime | None


def look(token: str, *, now: datetime, vault: Vault) -> Open | Expired | Used | Wrong:
    """What pressing the button would do; changes nothing."""
    found = _usable(token, now, vault)
    return _open(found, vault) if isinstance(found, Notice) else found


def press(
    token: str, shown: str, *, now: datetime, vault: Vault, own_topic: OwnTopic, next_due: NextDue
) -> Confirmed | Open | Expired | Used | Wrong:
    """Apply the choices of a confirmation, once, if `shown` is the fingerprint of what it would do; else return that.

    Somebody may have signed the same address up again while the page was open. A new person also gets the look and
    rhythms they chose; who only adds keeps theirs.
    """
    with transaction.atomic():
        notice = _usable(token, now, vault)
        if not isinstance(notice, Notice):
            return notice
        offered = _open(notice, vault)
        if not constant_time_equal(offered.fingerprint.encode(), shown.encode("utf-8", "replace")):
            return offered
        # what was asked for becomes what is followed: the notice needs it no longer
        done = {"used_at": now, "choices_cipher": None, "key_id": None}
        if not Notice.objects.filter(id=notice.id, used_at=None).update(**done):
            return Used()
        person = Subscriber.objects.select_for_update().get(id=notice.subscriber_id)
        admit(
            person, offered.choices, keep=notice.kind == Notice.Kind.ADD, what=notice.kind, now=now, next_due=next_due
        )
        people.follow_all(person, offered.choices, own_topic=own_topic, source="page", now=now)
        # an older confirmation pressed later would bring back choices that were replaced
        Notice.objects.filter(subscriber=person, kind=Notice.Kind.CONFIRM, used_at=None).update(**done)
        _answered(person, vault)
        return _confirmed(person, offered)


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
    return from_json(vault.decrypt(notice.key_id, notice.choices_cipher, handle=bytes(notice.nonce), column="choices"))


def _usable(token: str, now: datetime, vault: Vault) -> Notice | Expired | Used | Wrong:
    notice = find_notice(token, vault)
    if notice is None or notice.kind not in _ASKING:
        return Wrong()
    if notice.used_at is not None:
        return Used()
    return Expired() if notice.expires_at <= now else notice


def _open(notice: Notice, vault: Vault) -> Open:
    choices = choices_of(notice, vault)
    topics = Topic.objects.filter(id__in=choices.topic_ids, state=Topic.State.ACTIVE).order_by("name")
    names = tuple(topic.name or "" for topic in topics)
    told = "\0".join((str(notice.id), notice.kind, to_json(choices), *names))
    return Open(notice.kind, choices, names, vault.blind_index("choices shown", told)[:16].hex())


def _answered(person: Subscriber, vault: Vault) -> None:
    """Who presses the button reads the mailbox: what strangers asked for it counts no more."""
    kinds = (SignUpRequest.Kind.SIGN_UP, SignUpRequest.Kind.HOLDER)
    mailbox_limit.forget(people.address_of(person, vault), kinds, vault)


def _confirmed(person: Subscriber, shown: Open) -> Confirmed:
    slot = {Cadence.DAILY: person.daily_rhythm, Cadence.WEEKLY: person.weekly_rhythm}.get(shown.choices.cadence)
    return Confirmed(person.id, shown, person.daily_rhythm.zone, slot.due_at if slot else None)
