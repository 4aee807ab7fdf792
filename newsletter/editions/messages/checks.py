"""What stands between a draft and its sending: each check with its answer, and what to do."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.values import MailOptions, RenderedMail
from newsletter.lib.mail import markdown
from newsletter.models import Message

#: Gmail shows so many bytes of a mail's HTML and hides the rest, the link to unsubscribe among it.
CLIPPED: Final = 102_000
#: Of these, for what is filled in when it is sent: personal links.
_RESERVED: Final = 3_000
#: The look in which the subject is what was typed.
_OPEN: Final = MailOptions("en", "both", discreet=False)


@dataclass(frozen=True)
class MessageCheck:
    """One check. `problem` says what to do; empty: it is fine. `detail` says what was found."""

    name: str
    problem: str
    detail: str = ""


@dataclass(frozen=True)
class CheckedMessage:
    """A message as it would be mailed today: with its own subject, with a neutral one, and what was checked."""

    mail: RenderedMail
    neutral_subject: str
    checks: tuple[MessageCheck, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What must be changed before it can be sent."""
        return tuple(check.problem for check in self.checks if check.problem)


def render(row: Message, renderer: Renderer, day: date, look: MailOptions) -> RenderedMail:
    """A message in one look."""
    html, text = markdown.to_html(row.markdown), markdown.to_text(row.markdown)
    return renderer.render_message(row.subject, html, text, day, look)


def check_message(row: Message, renderer: Renderer, *, day: date) -> CheckedMessage:
    """Render a message and check all but whom it goes to."""
    mail = render(row, renderer, day, _OPEN)
    size = len(mail.html.encode()) + _RESERVED
    kilobytes = f"{size / 1000:.0f} of {CLIPPED / 1000:.0f} kB"
    links = markdown.links(row.markdown)
    wrong = [link for link in links if not _leads_somewhere(link)]
    checks = (
        MessageCheck("subject", "" if row.subject.strip() else "write a subject", row.subject),
        MessageCheck("text", "" if markdown.to_text(row.markdown).strip() else "write a text"),
        MessageCheck("size", "" if size <= CLIPPED else "shorten it: mail programs would cut it off", kilobytes),
        MessageCheck(
            "links",
            "" if not wrong else f"mend the links that lead nowhere: {', '.join(wrong[:3])}",
            ", ".join(links[:5]),
        ),
    )
    return CheckedMessage(mail, renderer.neutral_message_subject(day, _OPEN.locale), checks)


def _leads_somewhere(link: str) -> bool:
    """Whether a link is an absolute one to the web, or to a mailbox."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return "@" in parts.path
    return parts.scheme in ("http", "https") and "." in (parts.hostname or "")
