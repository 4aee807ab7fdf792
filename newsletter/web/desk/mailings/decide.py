"""Hold, release and skip a mailing or one of its editions.

Holding is one click, since a release undoes it. Releasing mails people and skipping cannot be undone: both show one sentence
first, and come back if its number has moved meanwhile.
"""

from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.delivery.ledger.resend import OperatorNote
from newsletter.delivery.mailings import hold
from newsletter.delivery.mailings.hold import MailingPart, Stopped
from newsletter.delivery.mailings.mailing_list import MailingRow
from newsletter.delivery.mailings.resend_failed import count_resendable, resend_failed
from newsletter.delivery.mailings.sums import MailingSums
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import Occasion
from newsletter.web.desk.access import actor_of, admin_of
from newsletter.web.desk.mailings.editions import edition_or_404
from newsletter.web.desk.mailings.views import mailing_or_404
from newsletter.web.desk.mailings.words import count_in_form, count_in_words, shown_mailing
from newsletter.web.desk.page import done, page, refused
from newsletter.web.filters import sentence
from newsletter.web.typed_number import shown_moved, typed_number


class MailingChoice:
    """What a form is about: a mailing, or one edition of it."""

    def __init__(self, request: HttpRequest, occasion_id: int) -> None:
        self.row: MailingRow = mailing_or_404(occasion_id)
        typed = (request.POST if request.method == "POST" else request.GET).get("edition", "")
        self.edition_id = typed_number(typed)
        if typed and self.edition_id is None:  # never the whole mailing instead
            raise Http404("no such edition")
        self.part = MailingPart(occasion_id, self.edition_id)
        self.sums: MailingSums = self.row.sums
        if self.edition_id is not None:
            self.sums = edition_or_404(request, occasion_id, self.edition_id).sums

    @property
    def counted_as(self) -> MailingRow:
        """Whoever gets an edition follows its topics: its numbers are shown as those of one topic."""
        return self.row if self.edition_id is None else replace(self.row, one_topic=True)

    @property
    def url(self) -> str:
        """Its page."""
        if self.edition_id is None:
            return reverse("desk_mailings_mailing", args=[self.row.id])
        return reverse("desk_mailings_edition", args=[self.row.id, self.edition_id])


@require_POST
def hold_mailing(request: HttpRequest, occasion_id: int) -> HttpResponse:
    """Keep back what has not left."""
    choice = MailingChoice(request, occasion_id)
    answer = hold.hold(choice.part, actor=actor_of(request), now=db.now())
    return _answer(
        request, choice, answer, _("On hold: stopped {mails}, {gone} had gone. Release sends them, Skip cancels them.")
    )


@require_http_methods(["GET", "HEAD", "POST"])
def release_mailing(request: HttpRequest, occasion_id: int) -> HttpResponse:
    """Let what was kept back go."""
    choice = MailingChoice(request, occasion_id)
    if not _confirmed(request, choice, choice.sums.held):
        return _ask(request, choice, "release", choice.sums.held)
    answer = hold.release(choice.part, actor=actor_of(request), now=db.now())
    return _answer(request, choice, answer, _("Released: {mails} go now, {gone} had gone before."))


@require_http_methods(["GET", "HEAD", "POST"])
def skip_mailing(request: HttpRequest, occasion_id: int) -> HttpResponse:
    """Cancel what has not left."""
    choice = MailingChoice(request, occasion_id)
    if not _confirmed(request, choice, choice.sums.cancellable):
        return _ask(request, choice, "skip", choice.sums.cancellable)
    answer = hold.skip(choice.part, actor=actor_of(request), now=db.now())
    return _answer(request, choice, answer, _("Skipped: cancelled {mails}, {gone} had gone."))


@require_http_methods(["GET", "HEAD", "POST"])
def resend_mailing(request: HttpRequest, occasion_id: int) -> HttpResponse:
    """Send those that failed again, where the rules allow it."""
    choice = MailingChoice(request, occasion_id)
    count = count_resendable(occasion_id)
    if not _confirmed(request, choice, count):
        return _ask(request, choice, "resend", count)
    note = OperatorNote(admin_of(request).username, request.POST.get("why", "")[:500])
    answer = resend_failed(occasion_id, note, actor=actor_of(request), now=db.now())
    if isinstance(answer, Refused):
        return refused(request, sentence(answer.reason), choice.url)
    mails = _in_words(choice, answer.deliveries)
    return done(request, _("Planned again: {mails}.").format(mails=mails), choice.url)


def _confirmed(request: HttpRequest, choice: MailingChoice, count: int) -> bool:
    """Whether the button below the sentence was pressed, with a number that still holds."""
    return not shown_moved(request.POST.get("shown", ""), _form_count(choice, count))


def _form_count(choice: MailingChoice, count: int) -> int:
    return count_in_form(count, choice.counted_as)


def _in_words(choice: MailingChoice, count: int) -> str:
    return count_in_words(count, choice.counted_as)


def _ask(request: HttpRequest, choice: MailingChoice, what: str, count: int) -> HttpResponse:
    context = {
        "what": what,
        "mailing": shown_mailing(choice.row),
        "edition_id": choice.edition_id,
        "there": choice.url,
        "count": _in_words(choice, count),
        "any": count > 0,
        "gone": _in_words(choice, choice.sums.gone),
        "shown": _form_count(choice, count),
        "before": request.POST.get("shown", ""),
        "stays_held": choice.edition_id is None and choice.row.held_at and choice.row.kind == Occasion.Kind.DIGEST,
    }
    return page(request, "desk/mailings/decide.html.j2", context)


def _answer(request: HttpRequest, choice: MailingChoice, answer: Stopped | Refused, words: str) -> HttpResponse:
    if isinstance(answer, Refused):
        return refused(request, sentence(answer.reason), choice.url)
    mails, gone = _in_words(choice, answer.changed), _in_words(choice, answer.gone)
    return done(request, words.format(mails=mails, gone=gone), choice.url)
