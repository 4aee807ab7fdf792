"""Pause, resume and share out the mail of single providers, and move what waits."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from newsletter import delivery_wiring, wiring
from newsletter.delivery.gates import provider_gate
from newsletter.delivery.routing import move_batches, rules
from newsletter.delivery.routing.move_batches import planned_mails
from newsletter.lib import db
from newsletter.lib.mail import provider_ids
from newsletter.lib.refused import Refused
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page, refused
from newsletter.web.desk.sending.forms import ShareForm
from newsletter.web.desk.sending.overview import shown
from newsletter.web.typed_number import shown_moved, typed_number


@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Pause one provider, for a reason that everybody reads."""
    provider = _configured(request.POST.get("provider", ""))
    if provider is None:
        return _unknown(request)
    why = " ".join(request.POST.get("reason", "").split())[:200]
    paused = provider_gate.pause(provider, why, now=db.now(), actor=actor_of(request), by_hand=True)
    if isinstance(paused, Refused):
        return refused(request, paused.reason, reverse("desk_sending"))
    name = provider_ids.name_of(provider)
    sentence = gettext("%(name)s is paused. What waits for it stays, and only an owner resumes it.") % {"name": name}
    return done(request, sentence, reverse("desk_sending"))


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Send by one provider again."""
    provider = provider_ids.number_of(request.POST.get("provider", ""))
    if provider is None:
        return _unknown(request)
    waiting = planned_mails(provider)
    provider_gate.resume(provider, now=db.now(), actor=actor_of(request))
    sentence = ngettext(
        "%(name)s is open. %(count)s mail that waited for it goes out.",
        "%(name)s is open. %(count)s mails that waited for it go out.",
        waiting,
    )
    values = {"name": provider_ids.name_of(provider), "count": f"{waiting:,}"}
    return done(request, sentence % values, reverse("desk_sending"))


@require_POST
def share(request: HttpRequest) -> HttpResponse:
    """Choose a provider's share of the people, from the next mails on."""
    form = ShareForm(request.POST)
    if not form.is_valid():
        return shown(request, form, status=400)
    if len(wiring.config().providers) < 2:
        return refused(request, gettext("There is only one provider."), reverse("desk_sending"))
    values = form.cleaned_data
    provider = _configured(values["provider"])
    if provider is None:
        return _unknown(request)
    rule = rules.RoutingRule(values["domain"], provider, values["percent"])
    rules.store_rule(rule, now=db.now(), actor=actor_of(request))
    sentence = gettext("The share is saved, for mails that are planned from now on. What waits stays where it is.")
    return done(request, sentence, reverse("desk_sending"))


@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Remove a rule."""
    removed = rules.delete_rule(request.POST.get("domain", ""), now=db.now(), actor=actor_of(request))
    if not removed:
        return refused(request, gettext("There is no such rule any more."), reverse("desk_sending"))
    return done(request, gettext("The rule is removed."), reverse("desk_sending"))


@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest) -> HttpResponse:
    """Hand the waiting mail of one provider to another; first the sentence with the number, then the button."""
    data = request.POST if request.method == "POST" else request.GET
    source, target = provider_ids.number_of(data.get("from", "")), _configured(data.get("to", ""))
    if source is None or target is None or source == target:
        return _unknown(request)
    waiting = planned_mails(source)
    if request.method != "POST" or shown_moved(data.get("mails", ""), waiting):
        before = typed_number(request.POST.get("mails"))
        names = {"source": provider_ids.name_of(source), "target": provider_ids.name_of(target)}
        return page(request, "desk/sending/move.html.j2", names | {"mails": waiting, "before": before})
    planned = delivery_wiring.planned_providers()[target]
    batches = move_batches.move_batches(source, planned, now=db.now(), actor=actor_of(request))
    sentence = ngettext("%(count)s batch was moved.", "%(count)s batches were moved.", batches) % {"count": batches}
    return done(request, sentence, reverse("desk_sending"))


def _configured(name: str) -> int | None:
    """The number of a configured provider."""
    return next((provider.number for provider in wiring.config().providers if provider.name == name), None)


def _unknown(request: HttpRequest) -> HttpResponse:
    return refused(request, gettext("There is no such provider."), reverse("desk_sending"))
