"""What an owner does for one person who is open. Each answers with a redirect to their page, and a sentence that names nobody."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from newsletter import wiring
from newsletter.delivery.feedback import suppression_list
from newsletter.delivery.ledger.cancel import cancel_planned
from newsletter.lib.refused import Refused
from newsletter.models import Cadence
from newsletter.subscribers import lookup_and_erase
from newsletter.subscribers.choices import MailTime
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.person import edit
from newsletter.subscribers.person.read import read_person
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, refused
from newsletter.web.desk.people.forms import CadenceForm, FollowTopicForm, LiftForm, PersonTimeForm, first_problem
from newsletter.web.desk.people.handles import close_person, read_handle
from newsletter.web.typed_number import typed_number
from newsletter.worker import tasks

#: (request, the person's number) → what was done, in a sentence, or why not.
_Action = Callable[[HttpRequest, int], str | Refused]


def _on_person(action: _Action) -> Callable[[HttpRequest, str], HttpResponse]:
    """A view that does something for the person who is open under a handle."""

    @require_POST
    def view(request: HttpRequest, handle: str) -> HttpResponse:
        found = read_handle(request, handle, now=timezone.now())
        if found is None or found.subscriber_id is None:
            reason = gettext("This page has closed, and nothing was changed. Find the person again.")
            return refused(request, reason, reverse("desk_people"))
        said = action(request, found.subscriber_id)
        page = reverse("desk_people_open", args=[handle])
        return refused(request, said.reason, page) if isinstance(said, Refused) else done(request, said, page)

    return view


@_on_person
def follow(request: HttpRequest, subscriber_id: int) -> str | Refused:
    """Let them follow one more topic, at their word."""
    form = FollowTopicForm(request.POST)
    if not form.is_valid():
        return Refused(first_problem(form))
    topic_id, cadence = form.cleaned_data["topic"], Cadence(form.cleaned_data["cadence"])
    subscribing = wiring.subscribing(timezone.now())
    added = edit.add_topics(subscriber_id, (topic_id,), cadence, subscribing, actor=actor_of(request))
    if isinstance(added, Refused):
        return added
    if added.notice_id:
        tasks.publish("notices")
    return gettext("They follow one more topic now. What matches from now on is mailed.")


@_on_person
def end(request: HttpRequest, subscriber_id: int) -> str | Refused:
    """End one subscription."""
    ended = edit.end_subscription(
        subscriber_id,
        typed_number(request.POST.get("subscription")) or 0,
        now=timezone.now(),
        actor=actor_of(request),
        cancel_planned=cancel_planned,
    )
    return ended if isinstance(ended, Refused) else gettext("One subscription has ended.")


@_on_person
def stop(request: HttpRequest, subscriber_id: int) -> str | Refused:
    """End all subscriptions."""
    ended = edit.end_all(subscriber_id, now=timezone.now(), vault=wiring.vault(), actor=actor_of(request))
    if isinstance(ended, Refused):
        return ended
    words = ngettext(
        "All mail to them is stopped: %(count)s subscription has ended.",
        "All mail to them is stopped: %(count)s subscriptions have ended.",
        ended.count,
    )
    return words % {"count": ended.count}


@_on_person
def cadence(request: HttpRequest, subscriber_id: int) -> str | Refused:
    """Change how often one subscription brings mail."""
    form = CadenceForm(request.POST)
    if not form.is_valid():
        return Refused(first_problem(form))
    chosen = Cadence(form.cleaned_data["cadence"])
    changed = edit.change_cadence(
        subscriber_id, form.cleaned_data["subscription"], chosen, now=timezone.now(), actor=actor_of(request)
    )
    return changed if isinstance(changed, Refused) else gettext("The frequency is saved.")


@_on_person
def time(request: HttpRequest, subscriber_id: int) -> str | Refused:
    """Change when digests come."""
    form = PersonTimeForm(request.POST)
    if not form.is_valid():
        return Refused(first_problem(form))
    chosen, subscribing = MailTime(**form.cleaned_data), wiring.subscribing(timezone.now())
    changed = edit.change_mail_time(subscriber_id, chosen, subscribing, actor=actor_of(request))
    return changed if isinstance(changed, Refused) else gettext("The time of their digests is saved.")


@_on_person
def lift(request: HttpRequest, subscriber_id: int) -> str | Refused:
    """Lift a suppression, for a reason."""
    form = LiftForm(request.POST)
    if not form.is_valid():
        return Refused(first_problem(form))
    person = read_person(subscriber_id, vault=wiring.vault())
    if person is None:
        return Refused(gettext("there is no longer anybody with this number"))
    index, reason = index_of(person.address, wiring.vault()), form.cleaned_data["reason"]
    lifted = suppression_list.lift(index, now=timezone.now(), actor=actor_of(request), reason=reason)
    return lifted if isinstance(lifted, Refused) else gettext("They may be mailed again.")


@require_POST
def erase(request: HttpRequest, handle: str) -> HttpResponse:
    """Erase them; with `never_again` a keyed hash stays, so that the address is never mailed again."""
    now = timezone.now()
    found = read_handle(request, handle, now=now)
    never_again = request.POST.get("never_again") == "yes"
    if found is None or found.subscriber_id is None:
        return refused(request, gettext("This page has closed. Find the person again."), reverse("desk_people"))
    erased = lookup_and_erase.erase_person(
        found.subscriber_id,
        now=now,
        vault=wiring.vault(),
        forget=wiring.forget,
        actor=actor_of(request),
        never_again=never_again,
    )
    close_person(request, found.subscriber_id, now=now)
    if not erased:
        return refused(request, gettext("They had been erased already."), reverse("desk_people"))
    kept = gettext("The address is never mailed again.") if never_again else gettext("They can subscribe again.")
    return done(request, gettext("One person is erased. %(kept)s") % {"kept": kept}, reverse("desk_people"))
