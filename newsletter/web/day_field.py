"""A field for a day that is turned into a moment."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext


class DayField(forms.DateField):
    """A day of the centuries that matter: of the first and the last year that there is, no midnight is a moment in every zone."""

    def clean(self, value: Any) -> date | None:
        """The day, or None.

        Raises:
            ValidationError: it is none, or too far away.
        """
        day: date | None = super().clean(value)
        if day is not None and not 1900 <= day.year <= 2999:
            raise ValidationError(gettext("Type a day between 1900 and 2999."))
        return day
