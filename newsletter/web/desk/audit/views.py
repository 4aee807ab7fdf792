"""The audit log: who changed what, with filters in the address bar, and a button that undoes."""

from datetime import timedelta

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from newsletter.audit.search import AuditFilter, find_rows
from newsletter.web.day_field import DayField
from newsletter.web.desk.access import actor_of, admin_of
from newsletter.web.desk.audit.lines import lines
from newsletter.web.desk.audit.undo import undo
from newsletter.web.desk.clock import midnight
from newsletter.web.desk.page import back, done, page, refused
from newsletter.web.keyset import newest_first
from newsletter.web.see_other import SeeOther
from newsletter.web.typed_number import typed_number

_KINDS = (
    ("feed", gettext_lazy("Feeds")),
    ("topic", gettext_lazy("Topics")),
    ("item", gettext_lazy("Items")),
    ("mailing", gettext_lazy("Mailings")),
    ("message", gettext_lazy("Messages")),
    ("delivery", gettext_lazy("Mails")),
    ("provider", gettext_lazy("Providers")),
    ("sending", gettext_lazy("Sending")),
)
_OWNERS_KINDS = (
    ("subscriber", gettext_lazy("People")),
    ("suppression", gettext_lazy("Suppressions")),
    ("route", gettext_lazy("Shares of providers")),
    ("admin", gettext_lazy("Colleagues")),
    ("token", gettext_lazy("Tokens")),
)


class AuditFilterForm(forms.Form):
    """What stands in the address bar."""

    actor = forms.CharField(required=False, max_length=150)
    kind = forms.ChoiceField(required=False)
    name = forms.CharField(required=False, max_length=200)
    number = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    since = DayField(required=False)
    until = DayField(required=False)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.GET)
        kinds = _KINDS + _OWNERS_KINDS if admin_of(request).is_owner else _KINDS
        self.fields["kind"].choices = [("", ""), *kinds]  # type: ignore[attr-defined]

    def wanted(self) -> AuditFilter:
        """The filter; a field that says nothing sensible filters nothing."""
        self.is_valid()
        values = self.cleaned_data
        until = values.get("until")
        return AuditFilter(
            actor=values.get("actor") or "",
            kind=values.get("kind") or "",
            number=values.get("number"),
            name=values.get("name") or "",
            since=midnight(values["since"]) if values.get("since") else None,
            before=midnight(until + timedelta(days=1)) if until else None,
        )


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The newest changes that fit the filter."""
    form = AuditFilterForm(request)
    wanted = form.wanted()
    rows = newest_first(
        find_rows(wanted, for_owner=admin_of(request).is_owner),
        after=typed_number(request.GET.get("after")),
    )
    query = request.GET.copy()
    query.pop("after", None)
    context = {
        "form": form,
        "filtered": wanted != AuditFilter(),
        "lines": lines(rows.rows),
        "rows": rows,
        "query": query.urlencode(),
    }
    return page(request, "desk/audit/audit.html.j2", context)


@require_POST
def undo_line(request: HttpRequest, entry_id: int) -> SeeOther:
    """Do the opposite of a line."""
    row = find_rows(AuditFilter(), for_owner=admin_of(request).is_owner).filter(id=entry_id).first()
    if row is None:
        raise Http404
    problem = undo(row, now=timezone.now(), actor=actor_of(request))
    if problem is not None:
        return refused(request, problem.reason, back(request))
    return done(request, _("Undone: {name} is as it was before.").format(name=row.object_name), back(request))
