"""Forms of messages: the draft, when it is sent, and where a test goes."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from newsletter.editions.messages.drafts import MessageText, text_problems
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Message, Topic
from newsletter.subscribers.email_address import InvalidAddress, parse_address
from newsletter.web.day_field import DayField
from newsletter.web.filters import sentence

#: The audience of a message to everybody.
EVERYBODY = "everybody"


class MessageForm(forms.Form):
    """A draft as it is typed; what is wrong with it, the room says."""

    audience = forms.ChoiceField(
        error_messages={"required": _("Choose who gets it."), "invalid_choice": _("Choose who gets it.")}
    )
    subject = forms.CharField(required=False, max_length=2_000)
    markdown = forms.CharField(required=False, strip=False)
    revision = forms.IntegerField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        topics = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).order_by("name")
        offered = [
            (str(topic_id), gettext("Followers of %(topic)s") % {"topic": name})
            for topic_id, name in topics.values_list("id", "name")
        ]
        self.fields["audience"].choices = [*offered, (EVERYBODY, gettext("Everybody"))]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask the room what is wrong."""
        if "audience" in self.cleaned_data:
            for name, reason in text_problems(self.text()).items():
                self.add_error(name, sentence(reason))
        return self.cleaned_data

    def text(self) -> MessageText:
        """What was typed."""
        values = self.cleaned_data
        audience = values["audience"]
        topic_id = None if audience == EVERYBODY else int(audience)
        return MessageText(values.get("subject", ""), values.get("markdown", ""), topic_id)


def initial(row: Message) -> dict[str, Any]:
    """What a form shows of a stored draft."""
    audience = EVERYBODY if row.topic_id is None else str(row.topic_id)
    return {"audience": audience, "subject": row.subject, "markdown": row.markdown, "revision": row.revision}


class SendForm(forms.Form):
    """When a message is sent."""

    when = forms.ChoiceField(choices=[("now", _("Now")), ("at", _("At a time"))], initial="now")
    day = DayField(required=False)
    time = forms.TimeField(required=False)

    def clean(self) -> dict[str, Any]:
        """A time needs a day."""
        values = self.cleaned_data
        if values.get("when") == "at" and not self.errors and not (values.get("day") and values.get("time")):
            self.add_error("day", gettext("Choose a day and a time."))
        return values

    @property
    def moment(self) -> datetime | None:
        """When; None: now. Typed in the zone in which the page shows times."""
        values = self.cleaned_data
        if values["when"] == "now":
            return None
        return timezone.make_aware(datetime.combine(values["day"], values["time"]))


class MessageTestForm(forms.Form):
    """An address for one test: it is used for that alone."""

    address = forms.CharField(max_length=400)

    def clean_address(self) -> Address:
        """The address as a value that no log shows."""
        try:
            return parse_address(self.cleaned_data["address"])
        except InvalidAddress as error:
            raise forms.ValidationError(str(error)) from None
