"""Totals of all people, and the field that finds one of them. There is no list and no search."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from newsletter import wiring
from newsletter.lib.refused import Refused
from newsletter.status.people_by_day import people_by_day
from newsletter.subscribers import lookup_and_erase, totals
from newsletter.subscribers.person.find import find_person
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.charts import BarChart, bar_chart
from newsletter.web.desk.page import page
from newsletter.web.desk.people import words
from newsletter.web.desk.people.forms import FindPersonForm
from newsletter.web.desk.people.handles import open_person
from newsletter.web.filters import short_day
from newsletter.web.see_other import SeeOther


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """How many there are, how many came and left, and how many must not be mailed."""
    return overview(request, FindPersonForm())


@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Look somebody up by their full address; the answer is a redirect, whoever it is."""
    form = FindPersonForm(request.POST)
    if not form.is_valid():
        return overview(request, form, status=400)
    now = timezone.now()
    address, reason = form.cleaned_data["address"], form.cleaned_data["reason"]
    found = find_person(address, reason, now=now, vault=wiring.vault(), actor=actor_of(request))
    if isinstance(found, Refused):
        form.add_error("reason", found.reason)
        return overview(request, form, status=400)
    return SeeOther(reverse("desk_people_open", args=[open_person(request, found, now=now)]))


def overview(request: HttpRequest, form: FindPersonForm, *, closed: bool = False, status: int = 200) -> HttpResponse:
    """The page with its form as it was typed; `closed`: what was asked for is not open any more."""
    now = timezone.now()
    days = people_by_day(now=now, today=timezone.localdate())
    context: dict[str, Any] = {
        "form": form,
        "closed": closed,
        "counts": lookup_and_erase.counts(),
        "suppressions": [(words.suppressed(row.reason), row) for row in totals.suppressions(now=now)],
        "joined": _chart(gettext("Joined"), [(day.day, day.joined) for day in days]),
        "left": _chart(gettext("Left"), [(day.day, day.left) for day in days]),
        "joined_sum": sum(day.joined or 0 for day in days),
        "left_sum": sum(day.left or 0 for day in days),
        "days": totals.DAYS,
    }
    return page(request, "desk/people/people.html.j2", context, status=status)


def _chart(what: str, days: list[tuple[Any, int | None]]) -> BarChart:
    known = [count for _, count in days if count is not None]
    label = gettext("%(what)s a day, %(sum)s in %(days)s days, at most %(most)s on one day") % {
        "what": what,
        "sum": sum(known),
        "days": len(known),
        "most": max(known, default=0),
    }
    return bar_chart(label, [(short_day(day), count) for day, count in days], width=720)
