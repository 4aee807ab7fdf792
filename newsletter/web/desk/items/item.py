"""The page of one item: its text as in mail, where it comes from, the topics that it matched or nearly matched, its versions."""

from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from newsletter import wiring
from newsletter.editions.rendering.presenters import ShownItem, ShownSource, present_item, present_sources
from newsletter.editions.rendering.values import ItemContent, Source, Span
from newsletter.feeds import publish as hand
from newsletter.feeds.catalogue.item_history import StoredItemDetails, item_details
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.items import near_misses, receipts
from newsletter.matching.items.receipts import TopicReceipt
from newsletter.matching.live_index.stored_items import document
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page, refused

#: Processor time for asking topics that the item did not match, in seconds.
_SECONDS = 0.1


@require_safe
def item(request: HttpRequest, item_id: int) -> HttpResponse:
    """All about one item."""
    details = item_details(item_id)
    if details is None:
        raise Http404
    now, threshold = db.now(), wiring.config().small_number
    matched = receipts.receipts(details.item, now=now, threshold=threshold)
    publishers = [source.publisher for source in details.sources if source.publisher]
    asked = document(details.item, details.version, publishers)
    fit = near_misses.fit_topics(asked, seconds=_SECONDS, besides={row.topic_id for row in matched})
    shown, sources = in_mail(details, matched)
    context = {
        "details": details,
        "shown": shown,
        "sources": sources,
        "matched": matched,
        "fit": fit,
        "mailed": receipts.mailed(details.item, now=now, threshold=threshold),
    }
    return page(request, "desk/items/item.html.j2", context)


def in_mail(details: StoredItemDetails, matched: Sequence[TopicReceipt]) -> tuple[ShownItem, list[ShownSource]]:
    """An item as mails show it, with the words of all its topics marked."""
    content = ItemContent(
        item_id=details.item.id,
        version=details.version.n,
        title=details.version.title,
        text=details.version.text,
        html=details.version.html,
        url=details.item.entry.url,
        sources=tuple(Source(row.publisher, row.published_on, row.url, row.url_hash) for row in details.sources),
        lang=details.item.lang,
        published_at=details.item.entry.published_at,
    )
    spans = {Span(place.field, place.start, place.end) for row in matched for place in row.places}
    ordered = sorted(spans, key=lambda span: (span.field, span.start, span.end))
    return present_item(content, ordered, "en"), present_sources([content], "en")


@require_POST
def withdraw(request: HttpRequest, item_id: int) -> HttpResponse:
    """Take back an item that was published by hand."""
    gone = hand.withdraw(item_id, actor=actor_of(request), now=db.now())
    url = reverse("desk_items_item", args=[item_id])
    if isinstance(gone, Refused):
        return refused(request, gettext(gone.reason), url)
    return done(request, gettext("“%(title)s” is withdrawn: nobody is mailed it.") % {"title": gone.title}, url)
