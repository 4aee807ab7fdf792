"""What somebody agreed to, in sentences that can be copied into an answer to them."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from newsletter.models import Notice


@dataclass(frozen=True)
class GivenConsent:
    """One consent: what for (`confirm`, `add`, or the source of an admin's word), in which wording, and when."""

    what: str
    wording_version: int
    at: datetime


@dataclass(frozen=True)
class ConsentRecord:
    """When an address came in, and what its owner agreed to since."""

    created_at: datetime
    given: tuple[GivenConsent, ...]

    @property
    def origin(self) -> str:
        """How they came: `page`, or the source of an admin's word, such as `command`."""
        first = self.given[0].what if self.given else Notice.Kind.CONFIRM
        return "page" if first in (Notice.Kind.CONFIRM, Notice.Kind.ADD) else first


def consent_sentences(consent: ConsentRecord) -> list[str]:
    """The record in words for the person themselves, in UTC."""
    sentences = [gettext("Your address was entered on %(when)s.") % {"when": _when(consent.created_at)}]
    sentences += [_sentence(given) for given in consent.given]
    if not consent.given:
        sentences.append(
            gettext("Nobody has pressed the button in our confirmation mail, so nothing else is mailed to the address.")
        )
    return sentences


def _sentence(given: GivenConsent) -> str:
    values = {"when": _when(given.at), "version": given.wording_version}
    if given.what == Notice.Kind.CONFIRM:
        return (
            gettext(
                "On %(when)s the button in our confirmation mail was pressed: that page said what you would get, and that "
                "you can stop it at any time (wording %(version)s)."
            )
            % values
        )
    if given.what == Notice.Kind.ADD:
        return (
            gettext("On %(when)s the button in a mail about further topics was pressed (wording %(version)s).") % values
        )
    return (
        gettext("On %(when)s somebody of our organisation entered that you had agreed elsewhere (wording %(version)s).")
        % values
    )


def _when(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
