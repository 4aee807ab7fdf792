"""The items that a topic matched."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter.matching.workshop.topic_matches import newest_matches
from newsletter.web.desk.page import page
from newsletter.web.desk.topics.found import found_topic
from newsletter.web.typed_number import typed_number


@require_safe
def matches(request: HttpRequest, topic_id: int) -> HttpResponse:
    """The newest items with the words that matched; `after` in the address goes on to older ones."""
    found = found_topic(topic_id)
    shown = newest_matches(topic_id, after=typed_number(request.GET.get("after")))
    return page(request, "desk/topics/matches.html.j2", {"found": found, "shown": shown})
