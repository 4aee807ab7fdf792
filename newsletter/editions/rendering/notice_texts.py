"""The text of each notice, for HTML and plain text alike. The same for everybody: no topic, nothing that somebody typed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NoticeText:
    """`{organisation}` is filled in. The subject is exact: the public pages show it."""

    subject: str
    opening: tuple[str, ...]
    button: str
    closing: tuple[str, ...]


NOTICES: dict[str, NoticeText] = {
    "confirm": NoticeText(
        subject="Please confirm",
        opening=(
            "Somebody, probably you, asked {organisation} to send mail to this address.",
            "The link below leads to a page with one button. Press it there, and your mail begins; until then, nothing comes.",
        ),
        button="Go to the page",
        closing=(
            "The link works once, for seven days.",
            "It was not you? Then do nothing: without that button you will get nothing.",
        ),
    ),
    "add": NoticeText(
        subject="Please confirm your change",
        opening=(
            "This address gets mail from {organisation} already. Now somebody, probably you, asked for more.",
            "The link below shows what would be added. Nothing changes until you press the button on that page.",
        ),
        button="See the change",
        closing=(
            "The link works once, for seven days.",
            "It was not you? Then do nothing: what you get stays as it is.",
        ),
    ),
    "manage": NoticeText(
        subject="Your link",
        opening=("Somebody, probably you, asked for the page where you change or stop what {organisation} sends you.",),
        button="Open my choices",
        closing=(
            "The link works for 24 hours. After that, ask for a new one in the same way.",
            "It was not you? Then do nothing: nothing changes.",
        ),
    ),
    "resumed": NoticeText(
        subject="Your mail starts again",
        opening=(
            "All mail from {organisation} to this address had been stopped. Now it has been started again, as it was before.",
            "If that is what you want, there is nothing to do. If not, stop it with the link below.",
        ),
        button="Stop all mail",
        closing=("The link leads to a page with one button. It stops everything at once.",),
    ),
}


def notice_subject(kind: str) -> str:
    """The exact subject of a notice, the same for everybody. `kind` is confirm, add, manage or resumed.

    Raises:
        KeyError: there is no such notice.
    """
    return NOTICES[kind].subject
