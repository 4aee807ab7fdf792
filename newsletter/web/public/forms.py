"""What may be typed into the pages, checked; every message is said beside its field."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Cadence
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.email_address import InvalidAddress, parse_address
from newsletter.web.public import page_data
from newsletter.web.public.mail_times import HOURS, WEEKDAYS, clocks

#: (value, label, hint) of each radio button.
CADENCES = (
    (1, _("As it happens"), _("Within minutes. Articles that arrive together come in one email.")),
    (2, _("Once a day"), _("One email at a time you choose, on days with new articles.")),
    (3, _("Once a week"), _("One email on a day you choose, in weeks with new articles.")),
)
SHORT_CADENCES = ((1, _("As it happens")), (2, _("Once a day")), (3, _("Once a week")))
SUBJECTS = (
    (
        "neutral",
        _("Keep it neutral"),
        _("“Your daily digest, 29 November 2026”. Nobody who sees your screen learns anything."),
    ),
    ("headlines", _("Show the headline"), _("You see what it is about. So does anybody who sees your screen.")),
)
LONGEST_KEYWORD = 200
MOST_KEYWORDS = 10
#: The zone of somebody who was not asked for one.
NO_ZONE = "UTC"
#: As much of a line is repeated beside what is wrong with it.
LONGEST_QUOTED = 60


class AddressForm(forms.Form):
    """Asks for an address, and for nothing else."""

    address = forms.CharField(required=False, max_length=400)
    #: Only machines fill it in.
    website = forms.CharField(required=False)

    def clean_address(self) -> Address:
        """The address as a value that no log shows."""
        return _address(self.cleaned_data["address"])

    @property
    def trapped(self) -> bool:
        """True when a machine filled in the form."""
        return bool(self.data.get("website"))


class _MailTimeForm(forms.Form):
    """When digests come, and what subjects say."""

    hour = forms.TypedChoiceField(
        choices=HOURS, coerce=int, initial=7, error_messages={"required": _("Choose an hour.")}
    )
    weekday = forms.TypedChoiceField(choices=WEEKDAYS, coerce=int, initial=0)
    zone = forms.ChoiceField(error_messages={"required": _("Choose your time zone.")})
    subject = forms.ChoiceField(
        choices=[row[:2] for row in SUBJECTS],
        initial="neutral",
        error_messages={"required": _("Choose a subject line.")},
    )

    def __init__(self, *args: Any, now: datetime, zone: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["zone"]).choices = clocks(now, zone)

    def mail_time(self) -> MailTime:
        """When mail should come, after `is_valid`."""
        return MailTime(self.cleaned_data["zone"], self.cleaned_data["hour"], self.cleaned_data["weekday"])

    def discreet(self) -> bool:
        """Whether subjects say nothing of the content, after `is_valid`."""
        return bool(self.cleaned_data["subject"] == "neutral")


class _FollowForm(forms.Form):
    """What to follow, and how often."""

    topics = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        error_messages={"invalid_choice": _("One of these topics is no longer offered. Choose again.")},
    )
    keyword = forms.CharField(
        required=False,
        max_length=MOST_KEYWORDS * LONGEST_KEYWORD,
        error_messages={"max_length": _("This is too long. Use fewer or shorter lines.")},
    )
    cadence = forms.TypedChoiceField(
        choices=[row[:2] for row in CADENCES],
        coerce=lambda value: Cadence(int(value)),
        initial=2,
        error_messages={"required": _("Choose how often we should write.")},
    )

    #: The keywords without a problem, after `is_valid`.
    usable_keywords: tuple[str, ...] = ()

    def __init__(self, *args: Any, topics: Sequence[page_data.Card], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["topics"]).choices = [(card.id, card.name) for card in topics]

    def clean_keyword(self) -> tuple[str, ...]:
        """The keywords, one a line, if all of them can be followed."""
        lines = [" ".join(line.split()) for line in str(self.cleaned_data["keyword"]).splitlines()]
        keywords = tuple(dict.fromkeys(line for line in lines if line))
        if len(keywords) > MOST_KEYWORDS:
            raise forms.ValidationError(gettext("Use at most {count} lines.").format(count=MOST_KEYWORDS))
        problems = {keyword: problem for keyword in keywords if (problem := _keyword_problem(keyword))}
        self.usable_keywords = tuple(keyword for keyword in keywords if keyword not in problems)
        if problems and len(keywords) > 1:
            message = gettext("Line {number}, “{line}”: {problem}")
            problems = {
                line: message.format(number=lines.index(line) + 1, line=_short(line), problem=problem)
                for line, problem in problems.items()
            }
        if problems:
            raise forms.ValidationError(list(problems.values()))
        return keywords

    def clean(self) -> dict[str, Any]:
        """Something must be followed."""
        cleaned = super().clean() or {}
        if not cleaned.get("topics") and not cleaned.get("keyword") and not self.errors.keys() & {"topics", "keyword"}:
            field = "topics" if cast(forms.ChoiceField, self.fields["topics"]).choices else "keyword"
            self.add_error(field, _("Choose a topic, or enter a keyword."))
        return cleaned

    def keywords_to_preview(self) -> tuple[str, ...]:
        """The keywords that can be followed; errors of other fields are forgotten, this button does not need them."""
        for name in set(self.errors) - {"keyword"}:
            del self.errors[name]
        if not self.usable_keywords and not self.errors:
            self.add_error("keyword", _("Enter a keyword first."))
        return self.usable_keywords


class AddForm(_FollowForm):
    """More topics or words for somebody who is known."""

    def choices(self) -> Choices:
        """What was asked for, after `is_valid`."""
        return Choices(tuple(self.cleaned_data["topics"]), self.cleaned_data["keyword"], self.cleaned_data["cadence"])


class SubscribeForm(_FollowForm, _MailTimeForm, AddressForm):
    """The subscribe page."""

    #: As on the page: mistakes are listed in this order.
    field_order = ("address", "topics", "keyword", "cadence", "weekday", "hour", "zone", "subject")

    def clean(self) -> dict[str, Any]:
        """A time zone is needed for digests only."""
        cleaned = super().clean()
        if cleaned.get("cadence") == Cadence.IMMEDIATE and "zone" in self.errors:
            del self.errors["zone"]
            cleaned["zone"] = NO_ZONE
        return cleaned

    def choices(self) -> Choices:
        """What was asked for, after `is_valid`."""
        clean = self.cleaned_data
        return Choices(
            topic_ids=tuple(clean["topics"]),
            keywords=clean["keyword"],
            cadence=clean["cadence"],
            mail_time=self.mail_time(),
            discreet=self.discreet(),
        )


class SettingsForm(_MailTimeForm):
    """Hour, zone, weekday and subject of somebody who is known."""


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except InvalidAddress as error:
        raise forms.ValidationError(str(error)) from None


def _keyword_problem(keyword: str) -> str | None:
    """Why one line cannot be followed, in words for the person."""
    return gettext("This is too long.") if len(keyword) > LONGEST_KEYWORD else page_data.problem(keyword)


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_QUOTED else f"{line[: LONGEST_QUOTED - 1]}…"
