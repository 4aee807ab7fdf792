"""What is typed for a topic. The room checks it (`matching/topics`); its refusals stand beside the field that they are about."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from newsletter.matching.aliases.pack_files import AliasPackFile
from newsletter.matching.workshop.proposals import Proposal


class WorkshopForm(forms.Form):
    """A topic in the workshop: what it looks for, and what is said about it."""

    #: Only of a new topic.
    name = forms.CharField(required=False, max_length=200)
    query = forms.CharField(required=False, max_length=2_000)
    description = forms.CharField(required=False, max_length=1_000)
    note = forms.CharField(required=False, max_length=200)
    packs = forms.MultipleChoiceField(required=False)
    #: Spellings that have a switch on the page, and those that are ticked.
    shown = forms.MultipleChoiceField(required=False)
    ticked = forms.MultipleChoiceField(required=False)
    #: The revision that the form started from; 0: the topic is new.
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    #: The description that the form started from.
    described = forms.CharField(required=False, max_length=1_000)
    #: "Save it although it matches very many items."
    many = forms.BooleanField(required=False)

    def __init__(self, data: Any, *, packs: Mapping[str, AliasPackFile], initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        #: The alias packs that there are: read once for a page.
        self.known_packs = packs
        self.fields["packs"].choices = [(name, name) for name in packs]  # type: ignore[attr-defined]
        for name in ("shown", "ticked"):  # any spelling: the room says which it knows
            typed = data.getlist(name) if data is not None else ()
            self.fields[name].choices = [(word, word) for word in typed]  # type: ignore[attr-defined]

    def proposal(self) -> Proposal:
        """What was typed, after `is_valid`."""
        values = self.cleaned_data
        return Proposal(
            values["query"],
            tuple(values["packs"]),
            tuple(values["shown"]),
            tuple(values["ticked"]),
            " ".join(values["note"].split()),
        )


class ReleaseForm(forms.Form):
    """How a hold ends."""

    mail = forms.ChoiceField(
        choices=[("before", ""), ("all", "")],
        error_messages={"required": _("Choose what is mailed."), "invalid_choice": _("Choose what is mailed.")},
    )


class MergeForm(forms.Form):
    """Into which topic another one is merged."""

    into = forms.TypedChoiceField(
        coerce=int,
        error_messages={"required": _("Choose a topic."), "invalid_choice": _("Choose a topic that is not retired.")},
    )


class ImportForm(forms.Form):
    """A file of topics, or its text."""

    file = forms.FileField(required=False, allow_empty_file=True)
    text = forms.CharField(required=False, strip=False)
