"""Mails that wait for a decision: in doubt, or parked. What may be done with each, and what it means."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from newsletter import wiring
from newsletter.delivery.ledger import resend
from newsletter.delivery.ledger.resend import OperatorNote, ResendResult
from newsletter.delivery.mailings.shown import shown_count
from newsletter.delivery.mailings.undecided import UndecidedBatch, undecided_batches
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.web.desk.access import actor_of, admin_of
from newsletter.web.desk.mailings.words import mailing_title
from newsletter.web.desk.page import done, page, refused
from newsletter.web.filters import sentence
from newsletter.web.typed_number import shown_moved

MOST = 50


class DecisionForm(forms.Form):
    """What somebody found out, and what is to be done."""

    reference = forms.CharField(max_length=20)
    decision = forms.ChoiceField(choices=[("retry", ""), ("accepted", ""), ("failed", "")])
    why = forms.CharField(max_length=500)


@require_safe
def undecided(request: HttpRequest) -> HttpResponse:
    """The newest batches that wait for a decision, and the parked mails that can all be sent again."""
    rows = undecided_batches(wiring.vault(), limit=MOST)
    context = {
        "rows": [(row, _title(row), _mails(row)) for row in rows],
        "full": len(rows) == MOST,
        "parked": resend.parked_mails(),
        "may_decide": admin_of(request).sends,
    }
    return page(request, "desk/mailings/undecided.html.j2", context)


@require_POST
def decide_undecided(request: HttpRequest) -> HttpResponse:
    """Send the mails of one batch again, or record what became of them."""
    here, form = reverse("desk_mailings_undecided"), DecisionForm(request.POST)
    if not form.is_valid():
        return refused(request, _("Write what you know and how you know it. It is kept with each mail."), here)
    reference, decision = form.cleaned_data["reference"], form.cleaned_data["decision"]
    note = OperatorNote(admin_of(request).username, form.cleaned_data["why"])
    now, vault, actor = db.now(), wiring.vault(), actor_of(request)
    if decision == "retry":
        answer = resend.retry(reference, note, now=now, vault=vault, actor=actor, whole=True)
        return _answer(request, answer, _("The mails are planned again."))
    accepted = decision == "accepted"
    words = _("The mails count as accepted.") if accepted else _("The mails count as not accepted. Nothing is sent.")
    answer = resend.resolve(reference, accepted, note, now=now, vault=vault, actor=actor, whole=True)
    return _answer(request, answer, words)


@require_POST
def retry_all_parked(request: HttpRequest) -> HttpResponse:
    """Send all parked mails again that can be sent: never one in doubt, never one on hold."""
    here = reverse("desk_mailings_undecided")
    if shown_moved(request.POST.get("shown", ""), resend.parked_mails().deliveries):
        return refused(request, _("The number of parked mails has changed meanwhile. Look again."), here)
    note = OperatorNote(admin_of(request).username, request.POST.get("why", "")[:500])
    return _answer(
        request, resend.retry_parked(note, now=db.now(), actor=actor_of(request)), _("The mails are planned again.")
    )


def _answer(request: HttpRequest, answer: ResendResult | Refused, words: str) -> HttpResponse:
    here = reverse("desk_mailings_undecided")
    return (
        refused(request, sentence(answer.reason), here) if isinstance(answer, Refused) else done(request, words, here)
    )


def _title(row: UndecidedBatch) -> str:
    return mailing_title(row.occasion, row.created_at) if row.occasion else _("Notices")


def _mails(row: UndecidedBatch) -> str:
    threshold = wiring.config().small_number
    few = bool(row.occasion) and (row.one_topic or row.of_mails < threshold)
    shown = shown_count(row.mails, one_topic=few, threshold=threshold)
    # one mail, in the singular, would tell what the number does not
    one = row.mails == 1 and not few
    return _("{mails} mail").format(mails=shown) if one else _("{mails} mails").format(mails=shown)
