"""The forms of the feeds' pages. What they mean is checked by the functions that they lead to."""

from typing import Any

from django import forms
from django.utils.translation import gettext

from newsletter.feeds.catalogue.feed_health import WORDS
from newsletter.feeds.catalogue.feed_list import TROUBLE
from newsletter.lib.i18n import mark
from newsletter.web.typed_number import typed_number

#: A health in the words of a filter.
LABELS = {
    TROUBLE: mark("Needs somebody"),
    "quarantined": mark("Quarantined"),
    "ended": mark("Ended"),
    "broken": mark("Broken"),
    "late": mark("Late"),
    "silent": mark("Silent"),
    "new": mark("New"),
    "due": mark("Due"),
    "well": mark("Well"),
    "by hand": mark("By hand"),
    "paused": mark("Paused"),
}


class FeedFilter(forms.Form):
    """Which feeds a list shows. Whatever is in the address bar, it shows something."""

    health = forms.ChoiceField(required=False, choices=[("", ""), *((word, word) for word in (TROUBLE, *WORDS))])
    words = forms.CharField(required=False, max_length=200)
    after = forms.IntegerField(required=False, min_value=0)

    def offer(self, by_health: dict[str, int]) -> None:
        """Offer each health that occurs, with how many feeds it would show."""
        choices = [(word, f"{gettext(LABELS[word])} ({count:,})") for word, count in by_health.items()]
        chosen = self.value("health")
        if chosen and chosen not in by_health:
            choices.append((chosen, f"{gettext(LABELS[chosen])} (0)"))
        self.fields["health"].choices = choices  # type: ignore[attr-defined]

    def value(self, name: str) -> Any:
        """What was asked for; empty where that makes no sense."""
        self.is_valid()
        return self.cleaned_data.get(name) or ("" if name != "after" else None)


class FeedChange(forms.Form):
    """What to do to which feeds: those that are ticked, all of the list as it is filtered, or all that need somebody."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("check", "pause", "resume", "remove")])
    scope = forms.ChoiceField(required=False, choices=[(name, name) for name in ("ticked", "listed", "trouble")])
    feed = forms.TypedMultipleChoiceField(required=False, coerce=int)
    back = forms.CharField(required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # ids of feeds that are gone meanwhile are counted, not refused
        typed = self.data.getlist("feed") if hasattr(self.data, "getlist") else []
        ids = [text for text in typed if typed_number(text)]
        self.fields["feed"].choices = [(text, text) for text in ids]  # type: ignore[attr-defined]
