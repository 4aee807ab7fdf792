"""The list of mailings, and the page of one."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.delivery.mailings.editions import editions_of
from newsletter.delivery.mailings.hold import kept_until
from newsletter.delivery.mailings.mailing_list import FILTERS, MailingRow, mailing, mailing_page, undecided_mailings
from newsletter.delivery.mailings.slots import slots_of
from newsletter.delivery.mailings.sums import notice_sums
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.lib.small_numbers import people_count
from newsletter.status.next_digests import next_digests
from newsletter.web.desk.access import admin_of
from newsletter.web.desk.mailings.words import shown_mailing, sum_words
from newsletter.web.desk.page import page
from newsletter.web.typed_number import typed_number

#: What Home links to for mails that need a decision.
_UNDECIDED = ("unknown", "parked")


@require_safe
def mailings(request: HttpRequest) -> HttpResponse:
    """All mailings, the newest first; what needs a decision before all. `?state=` and `?after=` choose."""
    asked = request.GET.get("state", "")
    which = asked if asked in FILTERS else ""
    after = typed_number(request.GET.get("after"))
    undecided = undecided_mailings()
    listed = mailing_page(after=after, which=which, but=[row.id for row in undecided])
    first = after is None
    context = {
        "undecided": [shown_mailing(row) for row in undecided] if first and not which else [],
        "mailings": [shown_mailing(row) for row in listed.rows] if asked not in _UNDECIDED else [],
        "page": listed,
        "which": which,
        "only_undecided": asked in _UNDECIDED,
        "slots": next_digests(now=db.now()) if first and not asked else [],
        "notices": notice_sums() if first and not asked else None,
        "words": sum_words(),
    }
    return page(request, "desk/mailings/list.html.j2", context)


@require_safe
def one_mailing(request: HttpRequest, occasion_id: int) -> HttpResponse:
    """What a mailing is for, what became of it, and its editions by size."""
    row = mailing_or_404(occasion_id)
    threshold = wiring.config().small_number
    editions = editions_of(occasion_id, least=least_for(request))
    context = {
        "mailing": shown_mailing(row),
        "slots": slots_of(occasion_id),
        "kept_until": kept_until(row.held_at) if row.held_at else None,
        "editions": [(edition, people_count(edition.people, threshold=threshold)) for edition in editions.rows],
        "list": editions,
        "small_people": people_count(editions.small_people, threshold=threshold),
        "threshold": threshold,
        "words": sum_words(),
    }
    return page(request, "desk/mailings/mailing.html.j2", context)


def mailing_or_404(occasion_id: int) -> MailingRow:
    """The mailing with this id."""
    row = mailing(occasion_id)
    if isinstance(row, Refused):
        raise Http404(row.reason)
    return row


def least_for(request: HttpRequest) -> int:
    """How many people must get an edition for this admin to see it: few people's edition says what they follow."""
    return 1 if admin_of(request).is_owner else wiring.config().small_number
