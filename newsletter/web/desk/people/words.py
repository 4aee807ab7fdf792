"""What the pages about people call things."""

from typing import Final

from django.utils.translation import gettext, gettext_lazy

from newsletter.lib.i18n import mark
from newsletter.models import BatchState, Cadence, Subscriber, Subscription, Suppression
from newsletter.subscribers.person.read import PersonSubscription

CADENCES: Final = (
    (Cadence.IMMEDIATE.value, gettext_lazy("as it happens")),
    (Cadence.DAILY.value, gettext_lazy("once a day")),
    (Cadence.WEEKLY.value, gettext_lazy("once a week")),
)
WEEKDAYS: Final = (
    (0, gettext_lazy("Monday")),
    (1, gettext_lazy("Tuesday")),
    (2, gettext_lazy("Wednesday")),
    (3, gettext_lazy("Thursday")),
    (4, gettext_lazy("Friday")),
    (5, gettext_lazy("Saturday")),
    (6, gettext_lazy("Sunday")),
)
HOURS: Final = tuple((hour, f"{hour:02}:00") for hour in range(24))
#: State of a person → words, tone.
STATES: Final = {
    Subscriber.State.PENDING: (mark("waiting for confirmation"), "warn"),
    Subscriber.State.ACTIVE: (mark("active"), "good"),
    Subscriber.State.LEFT: (mark("left"), "quiet"),
}
_ORIGINS: Final = {
    "page": mark("by the sign-up page"),
    "command": mark("added by a command"),
    "desk": mark("added on the desk"),
    "import": mark("imported"),
    "demo": mark("made by the demo"),
}
_ENDED: Final = {
    Subscription.EndedReason.READER: mark("on a page of theirs"),
    Subscription.EndedReason.ONE_CLICK: mark("with one click in a mail"),
    Subscription.EndedReason.PROVIDER: mark("at the mail provider"),
    Subscription.EndedReason.ADMIN: mark("by an admin"),
    Subscription.EndedReason.RETIRED: mark("because the topic is no longer offered"),
}
_SUPPRESSED: Final = {
    Suppression.Reason.SOFT: mark("several mails in a row could not be delivered"),
    Suppression.Reason.BOUNCE: mark("the mailbox does not exist"),
    Suppression.Reason.LEFT: mark("they left"),
    Suppression.Reason.UNSUBSCRIBE: mark("they unsubscribed at the mail provider"),
    Suppression.Reason.ADMIN: mark("an admin said so"),
    Suppression.Reason.COMPLAINT: mark("they called a mail spam"),
    Suppression.Reason.ERASED: mark("they were erased"),
}
_MAILS: Final = {
    "alert": mark("Alert"),
    "digest": mark("Digest"),
    "notice": mark("Notice about the subscription"),
    "message": mark("Message"),
    "correction": mark("Correction"),
}
#: State of a mail → words, tone.
MAIL_STATES: Final = {
    BatchState.PLANNED: (mark("waiting"), "quiet"),
    BatchState.CLAIMED: (mark("waiting"), "quiet"),
    BatchState.SENDING: (mark("being sent"), "quiet"),
    BatchState.ACCEPTED: (mark("sent"), "good"),
    BatchState.UNKNOWN: (mark("in doubt"), "warn"),
    BatchState.FAILED: (mark("refused"), "bad"),
    BatchState.CANCELLED: (mark("not sent"), "quiet"),
    BatchState.PARKED: (mark("parked"), "warn"),
}


def name_of(row: PersonSubscription) -> str:
    """A subscription by its topic, or a keyword by its number alone."""
    return row.name or own_word(row.own_word or 0)


def own_word(number: int) -> str:
    """A keyword of their own."""
    return gettext("own keyword %(number)s") % {"number": number}


def origin(source: str) -> str:
    """How somebody, or a subscription, came."""
    return gettext(_ORIGINS.get(source, source))


def ended(reason: str | None) -> str:
    """How a subscription ended."""
    return gettext(_ENDED.get(Subscription.EndedReason(reason), reason)) if reason else ""


def suppressed(reason: str) -> str:
    """Why an address is not mailed."""
    return gettext(_SUPPRESSED.get(Suppression.Reason(reason), reason))


def mail_kind(kind: str) -> str:
    """What a mail was."""
    return gettext(_MAILS.get(kind, kind))
