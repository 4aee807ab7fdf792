"""Pause all sending, which every admin may, and resume it, which owners may."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from newsletter import delivery_wiring
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.gates.resume_sending import resume_sending
from newsletter.delivery.ledger.waiting import waiting_mails
from newsletter.lib import db
from newsletter.lib.mail.provider_ids import name_of
from newsletter.lib.refused import Refused
from newsletter.web.desk.access import actor_of, admin_of
from newsletter.web.desk.page import done, page, refused
from newsletter.web.typed_number import shown_moved


@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest) -> HttpResponse:
    """What waits, and the button that pauses or resumes."""
    if request.method != "POST":
        return _shown(request)
    actor = actor_of(request)
    reason = " ".join(request.POST.get("reason", "").split())
    why = f"{actor.name}: {reason}" if reason else actor.name
    problem = sending_gate.pause(why, now=db.now(), actor=actor)
    if problem is not None:
        return _shown(request, reason=reason, problem=problem.reason)
    sentence = _("Sending is paused. Feeds are still read and mails still written, but none goes out.")
    return done(request, sentence, reverse("desk_home"))


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Send again. The form carries how many mails it said would go; if that has moved, it is shown anew."""
    waiting = waiting_mails()
    if shown_moved(request.POST.get("waiting", ""), waiting):
        sentence = ngettext(
            "In the meantime {count} mail waits. Look again, and resume.",
            "In the meantime {count} mails wait. Look again, and resume.",
            waiting,
        )
        return refused(request, sentence.format(count=f"{waiting:,}"), reverse("desk_home_pause"))
    still_paused = resume_sending(delivery_wiring.host_guard(), now=db.now(), actor=actor_of(request))
    if isinstance(still_paused, Refused):
        return refused(request, still_paused.reason, reverse("desk_home_pause"))
    sentence = ngettext(
        "Sending is open. {count} mail that waited goes out now.",
        "Sending is open. {count} mails that waited go out now.",
        waiting,
    ).format(count=f"{waiting:,}")
    if not waiting:
        sentence = _("Sending is open. No mail was waiting.")
    if still_paused:
        names = ", ".join(name_of(provider.provider) for provider in still_paused)
        sentence += " " + _("Still paused by name: {names}.").format(names=names)
    return done(request, sentence, reverse("desk_home"))


def _shown(request: HttpRequest, *, reason: str = "", problem: str = "") -> HttpResponse:
    context = {
        "paused_by": sending_gate.pause_reason(),
        "waiting": waiting_mails(),
        "reason": reason,
        "problem": problem,
        "may_resume": admin_of(request).is_owner,
    }
    return page(request, "desk/home/pause.html.j2", context)
