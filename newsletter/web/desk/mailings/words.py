"""How pages name mailings, their states and their numbers."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from newsletter import wiring
from newsletter.delivery.mailings.mailing_list import MailingRow, MailingState
from newsletter.delivery.mailings.shown import ShownSums, countable, shown_count, shown_sums
from newsletter.delivery.mailings.sums import MailingSums
from newsletter.web.filters import short, short_day


@dataclass(frozen=True)
class ShownMailing:
    """A mailing as a page shows it."""

    row: MailingRow
    title: str
    sums: ShownSums
    state: str
    #: good, warn, bad or quiet.
    tone: str


def shown_mailing(row: MailingRow) -> ShownMailing:
    """A mailing in words."""
    state, tone = state_words()[row.state]
    return ShownMailing(row, mailing_title(row.key, row.created_at), sums_in_words(row.sums, row), state, tone)


def sums_in_words(sums: MailingSums, row: MailingRow) -> ShownSums:
    """The sums of a mailing or of a part of it."""
    threshold = wiring.config().small_number
    return shown_sums(sums, one_topic=row.shields(threshold), threshold=threshold)


def count_in_words(count: int, row: MailingRow) -> str:
    """A number of mails of a mailing."""
    threshold = wiring.config().small_number
    return shown_count(count, one_topic=row.shields(threshold), threshold=threshold)


def count_in_form(count: int, row: MailingRow) -> int:
    """The same for a form that carries the number it showed."""
    threshold = wiring.config().small_number
    return countable(count, one_topic=row.shields(threshold), threshold=threshold)


def mailing_title(key: str, created_at: datetime) -> str:
    """What a mailing is: its kind with its date; of an alert or a message with the time, in the admin's zone."""
    kind, _colon, rest = key.partition(":")
    moment = short(created_at)
    if kind == "digest":
        cadence, _colon, slot = rest.partition(":")
        return _weekly_title(slot) if cadence == "weekly" else _daily_title(slot)
    if kind == "alert":
        return _("Alert of {moment}").format(moment=moment)
    return _("Message of {moment}").format(moment=moment)


def _daily_title(slot: str) -> str:
    day = date.fromisoformat(slot)
    return _("Daily digest of {day}").format(day=f"{short_day(day)} {day.year}")


def _weekly_title(slot: str) -> str:
    year, _dash, week = slot.partition("-W")
    return _("Weekly digest of week {week}, {year}").format(week=int(week), year=year)


def state_words() -> dict[MailingState, tuple[str, str]]:
    """The word for each state, and its tone."""
    return {
        MailingState.UNDECIDED: (_("needs a decision"), "bad"),
        MailingState.HELD: (_("on hold"), "warn"),
        MailingState.PLANNED: (_("planned"), "quiet"),
        MailingState.GOING_OUT: (_("going out"), "good"),
        MailingState.FAILED: (_("done, some failed"), "warn"),
        MailingState.DONE: (_("done"), "quiet"),
    }


def sum_words() -> dict[str, str]:
    """The word for each number of a sum."""
    return {
        "accepted": _("accepted"),
        "cancelled": _("cancelled"),
        "failed": _("failed"),
        "unknown": _("unknown"),
        "waiting": _("waiting"),
        "sending": _("being sent"),
        "parked": _("parked"),
    }
