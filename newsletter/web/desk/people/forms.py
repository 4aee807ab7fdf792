"""Forms of the pages about people."""

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from newsletter.audit.record import reason_problem
from newsletter.lib import time_zones
from newsletter.matching.topics.lookup import active_names
from newsletter.subscribers.email_address import LONGEST, InvalidAddress, parse_address
from newsletter.web.desk.people.words import CADENCES, HOURS, WEEKDAYS
from newsletter.web.filters import sentence

_REASON = {"required": gettext_lazy("Write why: the reason is kept in the audit log.")}


class _ReasonForm(forms.Form):
    reason = forms.CharField(max_length=200, error_messages=_REASON)

    def clean_reason(self) -> str:
        """Refuse what the audit log refuses."""
        reason: str = self.cleaned_data["reason"]
        if problem := reason_problem(reason):
            raise forms.ValidationError(sentence(problem.reason))
        return reason


class _AddressForm(forms.Form):
    address = forms.CharField(
        max_length=LONGEST + 80, error_messages={"required": gettext_lazy("Write the whole address.")}
    )

    def clean_address(self) -> Any:
        """The address as mail is sent to it."""
        try:
            return parse_address(self.cleaned_data["address"])
        except InvalidAddress as error:
            raise forms.ValidationError(str(error)) from None


class FindPersonForm(_AddressForm, _ReasonForm):
    """Who is looked for, and why."""

    field_order = ("address", "reason")


class SuppressForm(_AddressForm):
    """An address that is not to be mailed."""


class LiftForm(_ReasonForm):
    """Why a suppression is lifted."""


class LiftAddressForm(_AddressForm, _ReasonForm):
    """As `LiftForm`, of an address that nobody has."""

    field_order = ("address", "reason")


class FollowTopicForm(forms.Form):
    """A topic to follow, and how often."""

    topic = forms.TypedChoiceField(coerce=int, error_messages={"required": gettext_lazy("Choose a topic.")}, choices=[])
    cadence = forms.TypedChoiceField(coerce=int, choices=CADENCES, initial=CADENCES[1][0])

    def __init__(self, *args: Any, without: tuple[int, ...] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        names = active_names()
        self.fields["topic"].choices = [  # type: ignore[attr-defined]
            (topic_id, name) for topic_id, name in names.items() if topic_id not in without
        ]


class SubscribePersonForm(_AddressForm, FollowTopicForm):
    """Somebody new: asked by mail, or added because they agreed elsewhere."""

    agreed = forms.BooleanField(required=False)
    field_order = ("address", "topic", "cadence", "agreed")


class CadenceForm(forms.Form):
    """How often one subscription brings mail."""

    subscription = forms.IntegerField()
    cadence = forms.TypedChoiceField(coerce=int, choices=CADENCES)


class PersonTimeForm(forms.Form):
    """When digests come."""

    zone = forms.CharField(max_length=60)
    hour = forms.TypedChoiceField(coerce=int, choices=HOURS)
    weekday = forms.TypedChoiceField(coerce=int, choices=WEEKDAYS)

    def clean_zone(self) -> str:
        """A place of the IANA database."""
        zone: str = self.cleaned_data["zone"]
        if not time_zones.is_place(zone):
            raise forms.ValidationError(gettext("Write a place such as Europe/Berlin or Asia/Almaty, or UTC."))
        return zone


def first_problem(form: forms.Form) -> str:
    """The first thing that is wrong with a form, for a sentence on the next page."""
    return str(next(iter(form.errors.values()))[0])
