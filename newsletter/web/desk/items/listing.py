"""The list of stored items: a search of everything by words, feed, topic, date, and whether it matched."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.lib import db
from newsletter.matching.items.item_filter import WrongQuery
from newsletter.matching.items.item_list import ItemList, list_items
from newsletter.models import Item
from newsletter.web.desk.items.forms import ItemFilterForm
from newsletter.web.desk.page import page
from newsletter.web.typed_number import typed_number


@require_safe
def items(request: HttpRequest) -> HttpResponse:
    """The newest items that the filter of the address lets through."""
    form = ItemFilterForm(request.GET)
    found = _found(form, typed_number(request.GET.get("after")))
    query = request.GET.copy()
    query.pop("after", None)
    filters = {name: value for name, value in query.items() if value and name in form.fields}
    context: dict[str, Any] = {
        "form": form,
        "found": found,
        "query": query.urlencode(),
        "filtered": bool(filters),
        "narrowed": bool(filters.keys() - {"words"}),
        "any": bool(found and found.rows) or Item.objects.exists(),
        "first": "after" not in request.GET,
    }
    return page(request, "desk/items/list.html.j2", context)


def _found(form: ItemFilterForm, after: int | None) -> ItemList | None:
    """A page of items; None if the filter cannot be used, which then stands beside its field."""
    if not form.is_valid():
        return None
    found = list_items(
        form.chosen(),
        index=wiring.item_index(),
        now=db.now(),
        after=after,
    )
    if isinstance(found, WrongQuery):
        words = {"column": found.column, "hint": gettext(found.hint)}
        form.add_error("words", gettext("At column %(column)d: %(hint)s.") % words)
        return None
    return found
