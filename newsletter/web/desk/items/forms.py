"""Forms of the items pages: the filter of the list, and an item that is published by hand."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django import forms
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from newsletter.feeds.hand_draft import HandDraft, problems
from newsletter.matching.items.item_filter import ItemFilter
from newsletter.models import Feed, Topic
from newsletter.web.day_field import DayField
from newsletter.web.desk.clock import midnight
from newsletter.web.filters import sentence

#: Languages that are offered for an item, by their code.
# fmt: off
LANGUAGES = (
    "en", "ar", "bn", "de", "es", "fa", "fr", "he", "hi", "id", "it", "ja", "kk", "ko", "nl", "pl", "pt", "ru", "sv", "tr",
    "ug", "uk", "ur", "vi", "zh-hans",
)
# fmt: on


class ItemFilterForm(forms.Form):
    """What the list shows: words, feed, topic, dates, matched or not."""

    words = forms.CharField(required=False, max_length=300, strip=True)
    feed = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    topic = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    since = DayField(required=False)
    until = DayField(required=False)
    matched = forms.ChoiceField(required=False, choices=[("yes", _("Matched a topic")), ("no", _("Matched no topic"))])

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        feeds = Feed.objects.order_by("title", "id").values_list("id", "title", "url")
        topics = Topic.objects.filter(kind=Topic.Kind.CURATED).order_by("name").values_list("id", "name")
        self.fields["feed"].choices = [(feed_id, title or url) for feed_id, title, url in feeds]  # type: ignore[attr-defined]
        self.fields["topic"].choices = list(topics)  # type: ignore[attr-defined]

    def chosen(self) -> ItemFilter:
        """The filter of a valid form; days are those of the admin's zone."""
        values = self.cleaned_data
        until = values["until"]
        return ItemFilter(
            words=values["words"],
            feed_id=values["feed"],
            topic_id=values["topic"],
            since=midnight(values["since"]) if values["since"] else None,
            until=midnight(until + timedelta(days=1)) if until else None,
            matched={"yes": True, "no": False}.get(values["matched"]),
        )


class HandItemForm(forms.Form):
    """An item as it is typed; what is wrong with it, the room says."""

    title = forms.CharField(required=False, max_length=2_000)
    markdown = forms.CharField(required=False, strip=False)
    publisher = forms.CharField(required=False, max_length=2_000)
    published_on = forms.DateField(required=False)
    url = forms.CharField(required=False, max_length=2_000)
    language = forms.ChoiceField(choices=())
    token = forms.UUIDField(required=False)

    def __init__(self, *args: object, now: datetime, language: str = "en", **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._now = now
        self.fields["language"].choices = languages((language,))  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        """Ask the room what is wrong."""
        for name, reason in problems(self.draft(), now=self._now).items():
            if name not in self.errors:
                self.add_error(name, sentence(gettext(reason)))
        return self.cleaned_data

    def draft(self) -> HandDraft:
        """What was typed."""
        values = self.cleaned_data
        return HandDraft(
            title=values.get("title", ""),
            markdown=values.get("markdown", ""),
            publisher=values.get("publisher", ""),
            published_on=values.get("published_on"),
            url=values.get("url", ""),
            language=values.get("language") or "en",
        )

    @property
    def publication(self) -> UUID:
        """What makes sure that this form publishes once."""
        return self.cleaned_data.get("token") or uuid4()


def languages(others: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Codes and names of the languages to choose from, English first."""
    codes = list(dict.fromkeys([*LANGUAGES, *filter(None, others)]))
    named = [(code, _language_name(code)) for code in codes]
    return named[:1] + sorted(named[1:], key=lambda pair: pair[1])


def _language_name(code: str) -> str:
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return code
