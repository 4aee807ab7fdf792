"""Hold, release, urgent, retire and restore: buttons of a topic, and the pages that say beforehand what they do."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.topics import hold as holding
from newsletter.matching.topics import restore as restoring
from newsletter.matching.topics import topics
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page, refused
from newsletter.web.desk.topics.forms import ReleaseForm
from newsletter.web.desk.topics.found import FoundTopic, curated_topic, found_topic
from newsletter.web.typed_number import shown_moved


@require_POST
def hold(request: HttpRequest, topic_id: int) -> HttpResponse:
    """Collect matches without mailing them."""
    topic, address = curated_topic(topic_id), reverse("desk_topics_topic", args=[topic_id])
    held = holding.hold(topic.name or "", now=db.now(), actor=actor_of(request))
    if isinstance(held, Refused):
        return refused(request, held.reason, address)
    sentence = ngettext(
        "On hold: %(count)d match waits, and new ones are collected. Nobody gets mail about it until you release it.",
        "On hold: %(count)d matches wait, and new ones are collected. Nobody gets mail about it until you release it.",
        held.waiting,
    )
    return done(request, sentence % {"count": held.waiting}, address)


@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, topic_id: int) -> HttpResponse:
    """What waits, and what becomes of it; the last step is one button."""
    found = found_topic(topic_id)
    if found.topic.held_since is None or not found.is_live:
        return refused(request, gettext("This topic is not on hold."), _address(found))
    waiting = holding.waiting_matches(found.topic, now=found.now)
    form = ReleaseForm(request.POST if request.method == "POST" else None, initial={"mail": "before"})
    moved = request.method == "POST" and shown_moved(request.POST.get("shown", ""), found.followers.mailed)
    if request.method != "POST" or not form.is_valid() or moved:
        context = {"found": found, "waiting": waiting, "form": form, "moved": moved}
        return page(request, "desk/topics/release.html.j2", context)
    mail = form.cleaned_data["mail"] == "all"
    released = holding.release(found.name, mail=mail, now=db.now(), actor=actor_of(request))
    if isinstance(released, Refused):
        return refused(request, released.reason, _address(found))
    sentence = gettext("Released: %(owed)d matches will be mailed, %(dropped)d will not.")
    return done(request, sentence % {"owed": released.owed, "dropped": released.dropped}, _address(found))


@require_POST
def urgent(request: HttpRequest, topic_id: int) -> HttpResponse:
    """Make a topic urgent, or an ordinary one."""
    topic, wanted = curated_topic(topic_id), request.POST.get("urgent") == "on"
    answer = topics.set_urgent(topic.name or "", wanted, now=db.now(), actor=actor_of(request))
    address = reverse("desk_topics_topic", args=[topic_id])
    if isinstance(answer, Refused):
        return refused(request, answer.reason, address)
    on = gettext("Urgent: an alert on it that stays in doubt for two hours is sent once more.")
    return done(request, on if wanted else gettext("An ordinary topic again: alerts in doubt wait for you."), address)


@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: HttpRequest, topic_id: int) -> HttpResponse:
    """What goes and what stays; the last step is one button."""
    found = found_topic(topic_id)
    if not found.is_live:
        return refused(request, gettext("This topic is retired already."), _address(found))
    moved = request.method == "POST" and shown_moved(request.POST.get("shown", ""), found.followers.total)
    if request.method != "POST" or moved:
        waiting = holding.waiting_matches(found.topic, now=found.now)
        return page(request, "desk/topics/retire.html.j2", {"found": found, "waiting": waiting, "moved": moved})
    retired = topics.retire_topic(found.name, now=db.now(), actor=actor_of(request))
    if isinstance(retired, Refused):
        return refused(request, retired.reason, _address(found))
    sentence = gettext("“%(name)s” is retired: it matches nothing any more, and its subscriptions have ended.")
    return done(request, sentence % {"name": found.name}, reverse("desk_topics"))


@require_POST
def restore(request: HttpRequest, topic_id: int) -> HttpResponse:
    """Match a retired topic again. Its followers do not come back."""
    topic, address = curated_topic(topic_id), reverse("desk_topics_topic", args=[topic_id])
    restored = restoring.restore_topic(topic.name or "", now=db.now(), actor=actor_of(request))
    if isinstance(restored, Refused):
        return refused(request, restored.reason, address)
    sentence = gettext("The topic is matched again, and offered to subscribers. Nobody follows it yet.")
    return done(request, sentence, address)


def _address(found: FoundTopic) -> str:
    return reverse("desk_topics_topic", args=[found.topic.id])
