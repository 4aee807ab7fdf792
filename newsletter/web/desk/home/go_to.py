"""The field "Go to" on every page. It is sent by POST: people will type addresses, and these are refused and kept nowhere."""

import unicodedata
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from newsletter import wiring
from newsletter.status.find_thing import FoundKind, FoundThing, find_things
from newsletter.web.desk.page import back, refused
from newsletter.web.desk.routed import routed
from newsletter.web.see_other import SeeOther


@sensitive_post_parameters("what")
@require_POST
def go_to(request: HttpRequest) -> SeeOther:
    """Go to what was typed: the page of the only thing that fits, or back with a sentence."""
    typed = unicodedata.normalize("NFKC", request.POST.get("what", "")).strip()
    here = back(request)
    if "@" in typed:
        sentence = _("An address is not looked up here, and was not kept. Owners open a person under People.")
        return refused(request, sentence, here)
    if not typed:
        return refused(request, _("Type the name of a topic or feed, the number of an item, or a reference."), here)
    found = find_things(typed[:200], wiring.vault())
    if len(found) == 1 and (page := _page(found[0])):
        return SeeOther(page)
    if found:
        names = ", ".join(f"“{thing.name}”" for thing in found)
        return refused(
            request, _("Several things have such a name: {names}. Type more of it.").format(names=names), here
        )
    if items := routed("desk_items", query=urlencode({"words": typed[:200]})):
        return SeeOther(items)
    return refused(request, _("Nothing has this name, number or reference."), here)


def _page(thing: FoundThing) -> str:
    match thing.kind:
        case FoundKind.TOPIC:
            return routed("desk_topics_topic", {"topic_id": thing.id})
        case FoundKind.FEED:
            return routed("desk_feeds_feed", {"feed_id": thing.id})
        case FoundKind.ITEM:
            return routed("desk_items_item", {"item_id": thing.id})
        case FoundKind.DELIVERY:
            return routed("desk_mailings_delivery", {"reference": thing.name})
