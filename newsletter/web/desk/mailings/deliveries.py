"""One delivery, found by the reference at its foot.

Everybody sees its state and times. What was in it and why is a person's secret, even without a name: owners only, after their
password. The address holds the reference, which nobody can guess: by numbers in a row, the mails of a mailing could be counted.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from newsletter import wiring
from newsletter.delivery.mailings.delivery_story import DeliveryStory, explain
from newsletter.web.desk.mailings.words import mailing_title
from newsletter.web.desk.page import page, refused
from newsletter.web.see_other import SeeOther


@sensitive_post_parameters("reference")
@require_POST
def find_delivery(request: HttpRequest) -> HttpResponse:
    """Go to the mail with this reference. It is posted, because people will type addresses."""
    typed = request.POST.get("reference", "").strip()
    if "@" in typed:
        sentence = _("An address is not looked up here, and was not kept. Type the reference at the foot of the mail.")
        return refused(request, sentence, reverse("desk_mailings"))
    story = explain(typed[:20], wiring.vault())
    if story is None:
        sentence = _("There is no such reference. Check the spelling. Records are kept for 14 days.")
        return refused(request, sentence, reverse("desk_mailings"))
    return SeeOther(reverse("desk_mailings_delivery", args=[story.reference]))


@require_safe
def delivery(request: HttpRequest, reference: str) -> HttpResponse:
    """Its state, and what happened when."""
    return page(request, "desk/mailings/delivery.html.j2", _context(reference, content=False))


@require_safe
def delivery_content(request: HttpRequest, reference: str) -> HttpResponse:
    """The same with what was in it, why, and when the person agreed."""
    return page(request, "desk/mailings/delivery.html.j2", _context(reference, content=True))


def _context(reference: str, *, content: bool) -> dict[str, object]:
    story = explain(reference, wiring.vault())
    if story is None:
        raise Http404("no such reference")
    steps = sorted([*story.matched, *story.steps] if content else story.steps, key=lambda step: step.at)
    return {"story": story, "steps": steps, "content": content, "title": _title(story), "words": step_words()}


def _title(story: DeliveryStory) -> str:
    return _("A notice") if story.occasion.startswith("notice:") else mailing_title(story.occasion, story.planned_at)


def step_words() -> dict[str, str]:
    """The words for what happened to a mail, and for its state."""
    return {
        "matched": _("An item matched"),
        "gathered": _("What was owed was gathered"),
        "planned": _("Planned"),
        "claimed": _("Claimed by a worker"),
        "claimed until": _("Claimed by a worker until then"),
        "sending": _("Being sent"),
        "handed over": _("Handed over"),
        "accepted": _("Accepted by the provider"),
        "failed": _("Refused for good"),
        "unknown": _("In doubt: the provider may have taken it"),
        "cancelled": _("Cancelled"),
        "parked": _("Parked"),
        "deferred": _("Put off"),
        "split": _("Split into smaller requests"),
        "nobody left to mail": _("Nobody left to mail"),
        "retried": _("Sent again by a decision"),
        "resolved": _("Settled by a decision"),
        "released": _("Sent again: the provider had dropped it"),
        "processed": _("The provider works on it"),
        "delivered": _("Delivered to the mail server"),
        "delayed": _("The mail server put it off"),
        "bounce": _("Bounced: no such mailbox"),
        "soft bounce": _("Bounced for now"),
        "dropped": _("The provider dropped it"),
        "complaint": _("Reported as spam"),
        "unsubscribe": _("Asked the provider to stop"),
    }
