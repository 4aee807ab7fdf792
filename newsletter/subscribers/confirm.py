"""The link of a confirmation mail: show what its button does, and do it once."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.lib.crypto import Vault, constant_time_equal
from newsletter.models import Cadence, Consent, Notice, SignUpRequest, Subscriber, Topic
from newsletter.subscribers import people
from newsletter.subscribers.choices import Choices, from_json, to_json
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.subscribing import Subscribing
from newsletter.subscribers.tokens import Expired, InvalidToken, Used, find_notice

#: Version of the text that somebody agrees to on the subscribe page. Raise it when that text changes.
CONSENT_VERSION = 1
_ASKING = (Notice.Kind.CONFIRM, Notice.Kind.ADD)


@dataclass(frozen=True)
class ConfirmationPreview:
    """What the button of a working link does."""

    #: `confirm` or `add`.
    kind: str
    choices: Choices
    topic_names: tuple[str, ...]
    #: Keyed hash of all of the above. The button sends it along: it does what was shown or nothing.
    fingerprint: str


@dataclass(frozen=True)
class Confirmed:
    """What was previewed has started."""

    subscriber_id: int
    preview: ConfirmationPreview
    zone: str
    #: Next slot of a daily or weekly mail; None for immediate.
    next_due: datetime | None


def preview_confirmation(
    token: str, *, now: datetime, vault: Vault
) -> ConfirmationPreview | Expired | Used | InvalidToken:
    """What pressing the button would do; changes nothing."""
    notice = _usable(token, now, vault)
    return _preview(notice, vault) if isinstance(notice, Notice) else notice


def confirm(
    token: str, fingerprint: str, subscribing: Subscribing
) -> Confirmed | ConfirmationPreview | Expired | Used | InvalidToken:
    """Apply the choices of a confirmation, once, if `fingerprint` is that of its preview; else return the preview.

    Somebody may have signed the same address up again while the page was open. A new person also gets the look and
    rhythms they chose; who only adds keeps theirs.
    """
    now, vault = subscribing.now, subscribing.vault
    with transaction.atomic():
        notice = _usable(token, now, vault)
        if not isinstance(notice, Notice):
            return notice
        preview = _preview(notice, vault)
        if not constant_time_equal(preview.fingerprint.encode(), fingerprint.encode("utf-8", "replace")):
            return preview
        # the subscriptions now hold what was asked for: the notice needs it no longer
        used = {"used_at": now, "choices_cipher": None, "key_id": None}
        if not Notice.objects.filter(id=notice.id, used_at=None).update(**used):
            return Used()
        person = Subscriber.objects.select_for_update().get(id=notice.subscriber_id)
        adding = notice.kind == Notice.Kind.ADD
        activate(person, preview.choices, subscribing, keep_settings=adding, consent=notice.kind)
        people.subscribe_to_choices(person, preview.choices, subscribing, source="page")
        # an older confirmation pressed later would bring back choices that were replaced
        Notice.objects.filter(subscriber=person, kind=Notice.Kind.CONFIRM, used_at=None).update(**used)
        _reset_limits(person, vault)
        return _confirmed(person, preview)


def activate(
    person: Subscriber, choices: Choices, subscribing: Subscribing, *, keep_settings: bool, consent: str
) -> None:
    """Make a person active who agreed, and record to what they did (`consent`).

    `keep_settings` leaves look and rhythms of an active person as they are.
    """
    now = subscribing.now
    if not (keep_settings and person.state == Subscriber.State.ACTIVE):
        people.apply_choices(person, choices, subscribing)
    person.state = Subscriber.State.ACTIVE
    person.confirmed_at = person.confirmed_at or now
    person.consent_version, person.left_at = CONSENT_VERSION, None
    changed = ("look", "daily_rhythm", "weekly_rhythm", "state", "confirmed_at", "consent_version", "left_at")
    person.save(update_fields=changed)
    Consent.objects.create(subscriber=person, what=consent, wording_version=CONSENT_VERSION, at=now)
    people.lift_suppression(bytes(person.address_index), now)


def choices_of(notice: Notice, vault: Vault) -> Choices:
    """Decrypt the choices of a confirmation.

    Raises:
        ValueError: the notice holds none.
    """
    if notice.choices_cipher is None or notice.key_id is None:
        raise ValueError(f"notice {notice.id} holds no choices")
    return from_json(vault.decrypt(notice.key_id, notice.choices_cipher, handle=bytes(notice.nonce), column="choices"))


def _usable(token: str, now: datetime, vault: Vault) -> Notice | Expired | Used | InvalidToken:
    notice = find_notice(token, vault)
    if notice is None or notice.kind not in _ASKING:
        return InvalidToken()
    if notice.used_at is not None:
        return Used()
    return Expired() if notice.expires_at <= now else notice


def _preview(notice: Notice, vault: Vault) -> ConfirmationPreview:
    choices = choices_of(notice, vault)
    topics = Topic.objects.filter(id__in=choices.topic_ids, state=Topic.State.ACTIVE).order_by("name")
    names = tuple(topic.name or "" for topic in topics)
    shown = "\0".join((str(notice.id), notice.kind, to_json(choices), *names))
    return ConfirmationPreview(notice.kind, choices, names, vault.blind_index("choices shown", shown)[:16].hex())


def _reset_limits(person: Subscriber, vault: Vault) -> None:
    """Whoever presses the button reads the mailbox: what strangers asked for it no longer counts."""
    kinds = (SignUpRequest.Kind.SIGN_UP, SignUpRequest.Kind.HOLDER)
    mailbox_limit.reset(people.address_of(person, vault), kinds, vault)


def _confirmed(person: Subscriber, preview: ConfirmationPreview) -> Confirmed:
    rhythms = {Cadence.DAILY: person.daily_rhythm, Cadence.WEEKLY: person.weekly_rhythm}
    rhythm = rhythms.get(preview.choices.cadence)
    return Confirmed(person.id, preview, person.daily_rhythm.zone, rhythm.due_at if rhythm else None)
