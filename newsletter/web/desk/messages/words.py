"""How pages name messages: their states, to whom they go, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter import wiring
from newsletter.delivery.mailings.mailing_list import MailingState, mailing_state
from newsletter.delivery.mailings.shown import ShownSums, shown_sums
from newsletter.delivery.mailings.sums import MailingSums, sums_of
from newsletter.models import Message
from newsletter.web.desk.mailings.words import state_words

State = Message.State


@dataclass(frozen=True)
class ShownMessage:
    """A message as a page shows it; `sums` None: nothing of it is in the ledger."""

    row: Message
    state: str
    #: good, warn, bad or quiet.
    tone: str
    audience: str
    sums: ShownSums | None


def shown_messages(rows: Sequence[Message]) -> list[ShownMessage]:
    """Messages in words, with their sums in one query."""
    sums = sums_of([row.occasion_id for row in rows if row.occasion_id is not None])
    return [_shown(row, sums.get(row.occasion_id or 0)) for row in rows]


def audience_words(row: Message) -> str:
    """To whom it goes."""
    return _("Everybody") if row.topic is None else _("Followers of %(topic)s") % {"topic": row.topic.name}


def _shown(row: Message, sums: MailingSums | None) -> ShownMessage:
    word, tone = _state(row, sums)
    threshold = wiring.config().small_number
    shown = None
    if sums is not None and sums.planned:
        shown = shown_sums(sums, one_topic=row.topic_id is not None, threshold=threshold)
    return ShownMessage(row, word, tone, audience_words(row), shown)


def _state(row: Message, sums: MailingSums | None) -> tuple[str, str]:
    match row.state:
        case State.DRAFT:
            return _("draft"), "quiet"
        case State.ASKED:
            return _("waits for release"), "warn"
        case State.PARKED:
            return _("missed its time"), "bad"
        case State.SCHEDULED:
            return _("waits for its time"), "good"
        case State.STOPPED:
            return _("stopped"), "quiet"
    return _going(row, sums)


def _going(row: Message, sums: MailingSums | None) -> tuple[str, str]:
    """A message that is in the ledger: what its mails do."""
    if sums is None or not sums.planned:
        return (_("being planned"), "good") if row.state == State.PLANNING else (_("done"), "quiet")
    state = mailing_state(sums, held=False, composing=row.state == State.PLANNING)
    return (_("waits for its time"), "good") if state is MailingState.PLANNED else state_words()[state]
