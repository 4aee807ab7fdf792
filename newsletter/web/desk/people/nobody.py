"""What an owner does with an address that nobody has: subscribe it, suppress it, or lift what was kept of it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from newsletter import wiring
from newsletter.delivery.feedback import suppression_list
from newsletter.lib.refused import Refused
from newsletter.models import Cadence
from newsletter.subscribers.admin_subscribe import HasLeft, Suppressed, subscribe_directly
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.person.find import FoundPerson
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done
from newsletter.web.desk.people.forms import FindPersonForm, LiftAddressForm, SubscribePersonForm, SuppressForm
from newsletter.web.desk.people.handles import open_person, read_handle
from newsletter.web.desk.people.overview import overview
from newsletter.web.desk.people.person import nobody
from newsletter.web.filters import sentence
from newsletter.worker import tasks


@require_POST
def add(request: HttpRequest, handle: str) -> HttpResponse:
    """Subscribe an address: its owner is asked by mail, or agreed elsewhere."""
    form = SubscribePersonForm(request.POST)
    if not form.is_valid():
        return _again(request, handle, form)
    values, now = form.cleaned_data, timezone.now()
    added = subscribe_directly(
        values["address"],
        Choices((values["topic"],), (), Cadence(values["cadence"])),
        wiring.subscribing(now),
        confirmed=values["agreed"],
        source="desk",
        actor=actor_of(request),
    )
    if isinstance(added, Suppressed):
        form.add_error("address", gettext("This address must not be mailed: lift that first, if it can be."))
        return _again(request, handle, form)
    if isinstance(added, HasLeft):
        form.add_error("agreed", gettext("They left. Let them be asked by mail: leave this empty."))
        return _again(request, handle, form)
    tasks.publish("notices")
    opened = open_person(request, FoundPerson(added.subscriber_id), now=now)
    asked = gettext("They are asked by mail to confirm. Nothing else is mailed before that.")
    sentence = gettext("They are subscribed.") if added.state == "active" else asked
    return done(request, sentence, reverse("desk_people_open", args=[opened]))


@require_POST
def suppress(request: HttpRequest, handle: str) -> HttpResponse:
    """Never mail an address, until its owner confirms a subscription or an owner lifts it."""
    form = SuppressForm(request.POST)
    if not form.is_valid():
        return _again(request, handle, form)
    index = index_of(form.cleaned_data["address"], wiring.vault())
    added = suppression_list.add(index, now=timezone.now(), actor=actor_of(request))
    sentence = gettext("The address is not mailed.") if added else gettext("The address was not mailed before either.")
    return done(request, sentence, reverse("desk_people"))


@require_POST
def lift(request: HttpRequest, handle: str) -> HttpResponse:
    """Lift the suppression of an address, for a reason."""
    form = LiftAddressForm(request.POST)
    if not form.is_valid():
        return _again(request, handle, form)
    index, reason = index_of(form.cleaned_data["address"], wiring.vault()), form.cleaned_data["reason"]
    lifted = suppression_list.lift(index, now=timezone.now(), actor=actor_of(request), reason=reason)
    if isinstance(lifted, Refused):
        form.add_error("address", sentence(lifted.reason))
        return _again(request, handle, form)
    return done(request, gettext("The address may be mailed again."), reverse("desk_people"))


def _again(request: HttpRequest, handle: str, form: Any) -> HttpResponse:
    """The page with what was typed."""
    found = read_handle(request, handle, now=timezone.now())
    if found is None:
        return overview(request, FindPersonForm(), closed=True, status=404)
    return nobody(request, handle, found, form, status=400)
