"""Removing feeds: first what goes and what stays, then one button."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from newsletter.feeds.catalogue import manage_many
from newsletter.lib import db
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.feeds.feed import gone
from newsletter.web.desk.feeds.listing import said
from newsletter.web.desk.page import done, page, refused
from newsletter.web.typed_number import shown_moved, typed_number


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest) -> HttpResponse:
    """Say what removing these feeds takes away; on POST remove them, unless that has changed meanwhile."""
    typed = (request.POST if request.method == "POST" else request.GET).get("feeds", "")
    ids = [number for part in typed.split(",") if (number := typed_number(part))]
    if not ids:
        return refused(request, gettext("Tick the feeds that you mean first."), reverse("desk_feeds"))
    goes = manage_many.removal(ids[: manage_many.MOST])
    if not goes.feeds:
        return gone(request)
    shown = f"{len(goes.feeds)} {goes.items}"
    context = {"goes": goes, "feeds": ",".join(str(feed.id) for feed in goes.feeds), "shown": shown, "moved": False}
    if request.method != "POST":
        return page(request, "desk/feeds/remove.html.j2", context)
    if _moved(request.POST.get("shown", ""), len(goes.feeds), goes.items):
        return page(request, "desk/feeds/remove.html.j2", {**context, "moved": True}, status=409)
    removed = manage_many.change_many("remove", [feed.id for feed in goes.feeds], now=db.now(), actor=actor_of(request))
    return done(request, said("remove", removed), reverse("desk_feeds"))


def _moved(shown: str, feeds: int, items: int) -> bool:
    """Whether the page showed another number of feeds, or one of items that holds no more."""
    shown_feeds, _, shown_items = shown.partition(" ")
    return shown_feeds != str(feeds) or shown_moved(shown_items, items)
