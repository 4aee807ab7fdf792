"""Messages of admins that wait for somebody."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.models import Message
from newsletter.status.attention import Attention
from newsletter.status.problem import DeskLink, Problem, ProblemKind, Severity


def messages_to_decide(found: Attention) -> Iterator[Problem]:
    """Messages whose time passed while nothing ran, and drafts that wait for somebody with the right to send."""
    if parked := found.messages.get(Message.State.PARKED, 0):
        text = ngettext(
            "the time of {count} message passed while nothing ran",
            "the time of {count} messages passed while nothing ran",
            parked,
        )
        advice = _("decide on the desk whether it still goes out")
        yield Problem(
            ProblemKind.MESSAGES_PARKED, Severity.DECIDE, text, {"count": parked}, advice=advice, link=_mailings()
        )
    if asked := found.messages.get(Message.State.ASKED, 0):
        text = ngettext("{count} message waits for its release", "{count} messages wait for their release", asked)
        advice = _("whoever may send releases it on the desk")
        yield Problem(
            ProblemKind.MESSAGES_ASKED, Severity.DECIDE, text, {"count": asked}, advice=advice, link=_mailings()
        )


def _mailings() -> DeskLink:
    return DeskLink("desk_mailings_messages", _("Look at the messages"))
