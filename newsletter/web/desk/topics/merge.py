"""Merge a topic into another one, or replace it by another one: what it does, then one button."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from newsletter import wiring
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.topics import merge as merging
from newsletter.matching.topics.revisions import draft_of, live_revision
from newsletter.matching.workshop import followers as counting
from newsletter.models import Topic
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page, refused
from newsletter.web.desk.topics import previews
from newsletter.web.desk.topics.forms import MergeForm
from newsletter.web.desk.topics.found import FoundTopic, found_topic
from newsletter.web.typed_number import shown_moved


@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, topic_id: int) -> HttpResponse:
    """Choose the other topic (`into` in the address), see what followers gain and lose, and merge."""
    found = found_topic(topic_id)
    own = reverse("desk_topics_topic", args=[topic_id])
    if not found.is_live:
        return refused(request, gettext("This topic is retired already."), own)
    form = _form(request.POST if request.method == "POST" else (request.GET if "into" in request.GET else None), found)
    target = Topic.objects.get(id=form.cleaned_data["into"]) if form.is_bound and form.is_valid() else None
    problem = merging.merge_problem(found.topic, target or Topic(id=0))
    moved = request.method == "POST" and shown_moved(request.POST.get("shown", ""), found.followers.total)
    if target is None or problem is not None or request.method != "POST" or moved:
        return _show(request, found, form, target, problem, moved=moved)
    done_ = merging.merge_topic(
        found.name, target.name or "", now=db.now(), actor=actor_of(request), move=wiring.move_followers
    )
    if isinstance(done_, Refused):
        return _show(request, found, form, target, done_, moved=False)
    sentence = gettext("“%(old)s” is part of “%(new)s” now. Its followers moved; each gets one mail about it.")
    address = reverse("desk_topics_topic", args=[target.id])
    return done(request, sentence % {"old": found.name, "new": target.name}, address)


def _form(data: Mapping[str, Any] | None, found: FoundTopic) -> MergeForm:
    others = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).exclude(id=found.topic.id)
    form = MergeForm(data)
    cast(forms.TypedChoiceField, form.fields["into"]).choices = list(others.order_by("name").values_list("id", "name"))
    return form


def _show(
    request: HttpRequest,
    found: FoundTopic,
    form: MergeForm,
    target: Topic | None,
    problem: Refused | None,
    *,
    moved: bool,
) -> HttpResponse:
    followers = preview = None
    if target is not None and problem is None:
        small_number = wiring.config().small_number
        counted = counting.count_followers(target.id, now=found.now)
        followers = counting.shown(counted, small_number=small_number)
        preview = previews.shown_preview(
            draft_of(live_revision(target)), draft_of(found.live), spellings=(), followers=found.counted, now=found.now
        )
    context = {
        "found": found,
        "form": form,
        "target": target,
        "problem": problem,
        "moved": moved,
        "target_followers": followers,
        "preview": preview,
    }
    return page(request, "desk/topics/merge.html.j2", context)
