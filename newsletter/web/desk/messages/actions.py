"""What may be done with a message: test, ask for release, send, begin at once, stop, back to a draft, copy."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from newsletter import edition_wiring, message_wiring, wiring
from newsletter.delivery.mailings.shown import shown_count
from newsletter.editions.messages import drafts, schedule
from newsletter.editions.messages.audience import count_people
from newsletter.editions.messages.checks import check_message
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.lib.small_numbers import PeopleCount, people_count
from newsletter.models import Message
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.messages.forms import MessageTestForm, SendForm
from newsletter.web.desk.messages.views import message_or_404
from newsletter.web.desk.messages.words import audience_words
from newsletter.web.desk.page import done, page, refused
from newsletter.web.see_other import SeeOther
from newsletter.web.typed_number import shown_moved, typed_number


@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest, message_id: int) -> HttpResponse:
    """The last step of a message to the followers of a topic."""
    row = message_or_404(message_id)
    if row.topic_id is None:
        return SeeOther(reverse("desk_mailings_messages_send_all", args=[message_id]))
    return _send(request, row)


@require_http_methods(["GET", "HEAD", "POST"])
def send_all(request: HttpRequest, message_id: int) -> HttpResponse:
    """The last step of a message to everybody, for whom the password was asked for again."""
    row = message_or_404(message_id)
    if row.topic_id is not None:
        return SeeOther(reverse("desk_mailings_messages_send", args=[message_id]))
    return _send(request, row)


def _send(request: HttpRequest, row: Message) -> HttpResponse:
    if row.state not in (*drafts.OPEN, Message.State.PARKED):
        return refused(request, gettext("This message is sent already. Copy it as a draft."), _address(row.id))
    now = db.now()
    count = count_people(row.topic_id, now=now)
    people = _people(row, count)
    form = SendForm(request.POST if request.method == "POST" else None, initial={"when": "now"})
    moved = request.method == "POST" and shown_moved(request.POST.get("people", ""), people)
    if request.method == "POST" and not moved and form.is_valid():
        zone = timezone.get_current_timezone_name()
        sent = message_wiring.send(
            row.id,
            at=form.moment,
            zone=zone,
            revision=typed_number(request.POST.get("revision")) or 0,
            actor=actor_of(request),
            now=now,
        )
        if not isinstance(sent, Refused):
            return done(request, _sent_words(form, sent.start_at), _address(row.id))
        form.add_error(None, gettext(sent.reason))
    context = {
        "message": row,
        "audience": audience_words(row),
        "form": form,
        "people": people,
        "moved": moved,
        "checks": check_message(row, edition_wiring.renderer(), day=now.date()).checks,
        "zone": timezone.get_current_timezone_name(),
        "nobody": not count,
    }
    return page(request, "desk/messages/send.html.j2", context)


def _sent_words(form: SendForm, start_at: object) -> str:
    if form.cleaned_data["when"] == "now":
        return gettext("The message is sent in 5 minutes. Until then you can stop all of it.")
    return gettext("The message waits for its time.")


@require_POST
def test(request: HttpRequest, message_id: int) -> HttpResponse:
    """Mail it to one address, which is used for this alone."""
    form = MessageTestForm(request.POST)
    if not form.is_valid():
        return refused(request, " ".join(str(error) for error in form.errors.get("address", ())), _address(message_id))
    name = message_wiring.send_test(message_id, form.cleaned_data["address"], actor=actor_of(request), now=db.now())
    if isinstance(name, Refused):
        return refused(request, gettext(name.reason), _address(message_id))
    sentence = gettext("%(provider)s accepted the test. It is not counted, and the address is not kept.")
    return done(request, sentence % {"provider": name}, _address(message_id))


@require_POST
def stop(request: HttpRequest, message_id: int) -> HttpResponse:
    """Keep back what has not left."""
    stopped = message_wiring.stop(message_id, actor=actor_of(request), now=db.now())
    if isinstance(stopped, Refused):
        return refused(request, gettext(stopped.reason), _address(message_id))
    counts = {
        name: shown_count(count, one_topic=stopped.message.topic_id is not None, threshold=wiring.config().small_number)
        for name, count in (("stopped", stopped.stopped), ("gone", stopped.gone))
    }
    if not stopped.gone:
        return done(request, gettext("Stopped before anything left."), _address(message_id))
    return done(request, gettext("Stopped %(stopped)s, %(gone)s had gone.") % counts, _address(message_id))


@require_POST
def begin(request: HttpRequest, message_id: int) -> HttpResponse:
    """Let it start at once."""
    return _act(request, message_id, message_wiring.begin_at_once, gettext("The message starts now."))


@require_POST
def back_to_draft(request: HttpRequest, message_id: int) -> HttpResponse:
    """Make it a draft again."""
    return _act(request, message_id, schedule.back_to_draft, gettext("The message is a draft again. Nothing was sent."))


@require_POST
def ask(request: HttpRequest, message_id: int) -> HttpResponse:
    """Ask somebody who may send to release it."""
    sentence = gettext("Release is asked for. The draft waits on Home of everybody who may send.")
    return _act(request, message_id, drafts.ask_for_release, sentence)


@require_POST
def copy(request: HttpRequest, message_id: int) -> HttpResponse:
    """A new draft with the same text."""
    row = drafts.copy_message(message_id, actor=actor_of(request), now=db.now())
    if isinstance(row, Refused):
        return refused(request, gettext(row.reason), reverse("desk_mailings_messages"))
    return done(request, gettext("This is a copy: a new draft."), _address(row.id))


def _act(
    request: HttpRequest, message_id: int, action: Callable[..., Message | Refused], sentence: str
) -> HttpResponse:
    answer = action(message_id, actor=actor_of(request), now=db.now())
    if isinstance(answer, Refused):
        return refused(request, gettext(answer.reason), _address(message_id))
    return done(request, sentence, _address(message_id))


def _people(row: Message, count: int) -> PeopleCount:
    """To how many it would go, as it may be shown: exact for everybody, shielded for a topic."""
    if row.topic_id is None:
        return PeopleCount(count, 0)
    return people_count(count, threshold=wiring.config().small_number)


def _address(message_id: int) -> str:
    return reverse("desk_mailings_messages_message", args=[message_id])
