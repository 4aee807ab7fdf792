"""Forms of the pages about sending."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from newsletter import delivery_wiring, wiring
from newsletter.lib.refused import Refused
from newsletter.subscribers.email_address import LONGEST, InvalidAddress, parse_address


def provider_names() -> list[tuple[str, str]]:
    """The configured providers, for a choice."""
    return [(provider.name, provider.name) for provider in wiring.config().providers]


class ShareForm(forms.Form):
    """The share of people whose mail a provider sends; the domain may be left out."""

    provider = forms.ChoiceField(choices=[])
    percent = forms.IntegerField(
        min_value=0, max_value=100, error_messages={"required": gettext_lazy("Write a whole number from 0 to 100.")}
    )
    domain = forms.CharField(max_length=LONGEST, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["provider"].choices = provider_names()  # type: ignore[attr-defined]

    def clean_domain(self) -> str:
        """The domain as rules hold it; all others where none is given."""
        domain = delivery_wiring.rule_domain(self.cleaned_data["domain"])
        if isinstance(domain, Refused):
            raise forms.ValidationError(domain.reason)
        return domain


class TrialMailForm(forms.Form):
    """Where a test mail goes, and by which provider."""

    address = forms.CharField(
        max_length=LONGEST + 80, error_messages={"required": gettext_lazy("Write the whole address.")}
    )
    provider = forms.ChoiceField(choices=[])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["provider"].choices = provider_names()  # type: ignore[attr-defined]

    def clean_address(self) -> Any:
        """The address as mail is sent to it."""
        try:
            return parse_address(self.cleaned_data["address"])
        except InvalidAddress as error:
            raise forms.ValidationError(str(error)) from None
