"""The text of each notice, for HTML and plain text alike. No address and no keyword; only `moved` names topics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from newsletter.lib import i18n
from newsletter.lib.i18n import mark
from newsletter.lib.mail import placeholders


@dataclass(frozen=True)
class NoticeText:
    """`%(organisation)s` is filled in. The subject is exact: the public pages show it."""

    subject: str
    opening: tuple[str, ...]
    button: str
    closing: tuple[str, ...]


_NOTICES: dict[str, NoticeText] = {
    "confirm": NoticeText(
        subject=mark("Confirm your subscription to %(organisation)s"),
        opening=(
            mark("Somebody, probably you, entered this address to subscribe to %(organisation)s."),
            mark("The link below opens a page that shows what you chose. Confirm there to start receiving email."),
        ),
        button=mark("Confirm your subscription"),
        closing=(
            mark("The link works once, for 7 days."),
            mark("Didn’t ask for this? Do nothing. The subscription starts only if you confirm it."),
        ),
    ),
    "add": NoticeText(
        subject=mark("Confirm the change to your subscription to %(organisation)s"),
        opening=(
            mark("This address is subscribed to %(organisation)s. Somebody, probably you, asked for more."),
            mark("The link below opens a page that shows what is added. Nothing changes until you confirm there."),
        ),
        button=mark("Confirm your change"),
        closing=(
            mark("The link works once, for 7 days."),
            mark("Didn’t ask for this? Do nothing, and your subscription stays as it is."),
        ),
    ),
    "manage": NoticeText(
        subject=mark("Change your preferences for %(organisation)s"),
        opening=(
            mark("Somebody, probably you, asked for a link to your preferences for %(organisation)s."),
            mark("There you can change what you get and when, or stop all email."),
        ),
        button=mark("Change your preferences"),
        closing=(
            mark("The link works for 24 hours. After that, ask for a new one in the same way."),
            mark("Didn’t ask for this? Do nothing, and nothing changes."),
        ),
    ),
    "resumed": NoticeText(
        subject=mark("Your subscription to %(organisation)s has resumed"),
        opening=(
            mark(
                "All email from %(organisation)s to this address had been stopped. It has now resumed, as it was before."
            ),
            mark("If that is what you want, there is nothing to do. If not, stop it with the link below."),
        ),
        button=mark("Stop all email"),
        closing=(mark("The link opens a page with one button. Press it to stop everything at once."),),
    ),
    "moved": NoticeText(
        subject=mark("A change to your subscription to %(organisation)s"),
        opening=(
            mark("%(organisation)s has combined topics. You follow one of them, and need not do anything."),
            mark("It comes as often as before. If you followed both topics, the frequency of the new one stays."),
            mark("Nothing that was due to you is lost, and no article comes twice."),
        ),
        button=mark("Change your preferences"),
        closing=(
            mark("The link opens a page with one button. Press it, and we’ll email you the link to your preferences."),
        ),
    ),
}
#: One for each topic, between the two paragraphs of the opening of `moved`.
_MOVED = mark("“%(old)s” is now part of “%(new)s”.")


def notice_text(kind: str, organisation: str, language: str, moved: Sequence[tuple[str, str]] = ()) -> NoticeText:
    """A notice in a language. `kind` is confirm, add, manage, resumed or moved.

    `moved` has the names of topics that were merged, and of those that they are part of now.

    Raises:
        KeyError: there is no such notice.
    """
    notice = _NOTICES[kind]
    translated = i18n.translations(language).gettext
    names = {"organisation": placeholders.defuse(organisation)}
    opening = [translated(paragraph) % names for paragraph in notice.opening]
    return NoticeText(
        subject=translated(notice.subject) % names,
        opening=(*(opening[:1]), *_merged(moved, translated), *opening[1:]),
        button=translated(notice.button),
        closing=tuple(translated(paragraph) % names for paragraph in notice.closing),
    )


def _merged(moved: Sequence[tuple[str, str]], translated: Callable[[str], str]) -> tuple[str, ...]:
    named = ({"old": placeholders.defuse(old), "new": placeholders.defuse(new)} for old, new in moved)
    return tuple(translated(_MOVED) % names for names in named)


def notice_subject(kind: str, organisation: str, language: str = "en") -> str:
    """The exact subject of a notice, the same for everybody. `kind` is confirm, add, manage, resumed or moved.

    Raises:
        KeyError: there is no such notice.
    """
    return notice_text(kind, organisation, language).subject
