"""The list of messages, and the page of one: a form while it is a draft, else what becomes of it."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from newsletter import edition_wiring
from newsletter.editions.messages import drafts
from newsletter.editions.messages.checks import CheckedMessage, check_message
from newsletter.editions.messages.message_list import message_page, waiting_messages
from newsletter.feeds.storage.word_diff import word_diff
from newsletter.lib import db
from newsletter.lib.clock import span
from newsletter.lib.refused import Refused
from newsletter.models import Message
from newsletter.web.desk.access import actor_of, admin_of
from newsletter.web.desk.messages.forms import MessageForm, MessageTestForm, initial
from newsletter.web.desk.messages.words import shown_messages
from newsletter.web.desk.page import done, page
from newsletter.web.mail_frame import FRAMES, framed_mail
from newsletter.web.typed_number import typed_number

VIEWS = (*FRAMES, "text")


@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    """All messages; first those that wait for somebody."""
    after = typed_number(request.GET.get("after"))
    listed = message_page(after=after)
    waiting = waiting_messages() if after is None else ()
    context = {
        "waiting": shown_messages(waiting),
        "messages": shown_messages(listed.rows),
        "page": listed,
        "sends": admin_of(request).sends,
    }
    return page(request, "desk/messages/list.html.j2", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Write a message: the first save makes the draft."""
    if request.method != "POST":
        form = MessageForm(initial={"audience": request.GET.get("audience", "")})
        return page(request, "desk/messages/new.html.j2", {"form": form})
    form = MessageForm(request.POST)
    if not form.is_valid():
        return page(request, "desk/messages/new.html.j2", {"form": form})
    row = drafts.write_message(form.text(), actor=actor_of(request), now=db.now())
    if isinstance(row, Refused):
        form.add_error(None, row.reason)
        return page(request, "desk/messages/new.html.j2", {"form": form})
    return done(request, gettext("The draft is saved."), _address(row.id, request))


@require_http_methods(["GET", "HEAD", "POST"])
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """One message; POST saves a draft."""
    row = message_or_404(message_id)
    if row.state not in drafts.OPEN:
        return _page(request, row)
    if request.method != "POST":
        return _page(request, row, MessageForm(initial=initial(row)))
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form)
    revision = form.cleaned_data["revision"]
    saved = drafts.change_message(message_id, form.text(), revision=revision, actor=actor_of(request), now=db.now())
    if not isinstance(saved, Refused):
        return done(request, gettext("The draft is saved."), _address(message_id, request))
    row = message_or_404(message_id)
    theirs = {"refused": saved.reason, "diff": word_diff(row.markdown, form.text().markdown)}
    again = request.POST.copy()
    again["revision"] = str(row.revision)
    mine = MessageForm(again)
    mine.is_valid()
    return _page(request, row, mine, **theirs)


@require_safe
def message_html(request: HttpRequest, message_id: int, dark: int) -> HttpResponse:
    """The HTML of the mail alone, for the frame."""
    return framed_mail(_sample(_checked(message_or_404(message_id)).mail.html), dark=bool(dark))


def message_or_404(message_id: int) -> Message:
    """The message with this number."""
    row = drafts.find_message(message_id)
    if isinstance(row, Refused):
        raise Http404(row.reason)
    return row


def _page(request: HttpRequest, row: Message, form: MessageForm | None = None, **more: Any) -> HttpResponse:
    view = request.GET.get("view", "")
    checked, now = _checked(row), db.now()
    context = {
        "shown": shown_messages([row])[0],
        "form": form,
        "test_form": MessageTestForm(),
        "checked": checked,
        "mail_text": _sample(checked.mail.text),
        "views": VIEWS,
        "view": view if view in VIEWS else VIEWS[0],
        "frames": FRAMES,
        "sends": admin_of(request).sends,
        "left": _left(row, now),
        "refused": "",
        "diff": (),
        **more,
    }
    return page(request, "desk/messages/message.html.j2", context)


def _left(row: Message, now: datetime) -> str:
    """How long a message still waits for its time; empty if it does not."""
    waits = row.state in (Message.State.SCHEDULED, Message.State.PLANNING, Message.State.PLANNED)
    if not waits or row.start_at is None or row.start_at <= now:
        return ""
    return span((row.start_at - now).total_seconds())


def _checked(row: Message) -> CheckedMessage:
    day = (row.start_at or db.now()).date()
    return check_message(row, edition_wiring.renderer(), day=day)


def _sample(text: str) -> str:
    """A mail's text with samples in place of what is personal, and without the words of a second copy."""
    from newsletter.lib.mail.placeholders import PATTERN, resolve_second_copy

    samples = {"reference": "7K3F-09QA-M2"}
    return PATTERN.sub(lambda found: samples.get(found[1], "#"), resolve_second_copy(text, second=False))


def _address(message_id: int, request: HttpRequest) -> str:
    address = reverse("desk_mailings_messages_message", args=[message_id])
    return f"{address}#views" if request.POST.get("action") == "preview" else address
