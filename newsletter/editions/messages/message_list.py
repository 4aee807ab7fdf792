"""List messages: what waits for somebody first, then the newest."""

from dataclasses import dataclass

from django.db.models import Case, QuerySet, When

from newsletter.models import Message

#: What waits for somebody, the most urgent first.
_FIRST = (Message.State.PARKED, Message.State.ASKED)


@dataclass(frozen=True)
class MessagePage:
    """Some messages. `after`: the id to ask with for the next ones; None: these are the last."""

    rows: tuple[Message, ...]
    after: int | None


def waiting_messages() -> tuple[Message, ...]:
    """Messages that wait for somebody: their time passed, or their release is asked for."""
    order = Case(*(When(state=state, then=place) for place, state in enumerate(_FIRST)))
    return tuple(_messages().filter(state__in=_FIRST).order_by(order, "id")[:50])


def message_page(*, after: int | None = None, size: int = 25) -> MessagePage:
    """The newest messages that wait for nobody, of those with an id below `after`."""
    others = _messages().exclude(state__in=_FIRST)
    rows = list((others if after is None else others.filter(id__lt=after)).order_by("-id")[: size + 1])
    return MessagePage(tuple(rows[:size]), rows[size - 1].id if len(rows) > size else None)


def _messages() -> QuerySet[Message]:
    return Message.objects.select_related("topic").defer("markdown")
