"""Publish an item by hand, and correct it: a form, a preview with who gets it, and one button."""

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from newsletter import wiring
from newsletter.editions.rendering.presenters import ShownItem, ShownSource, present_item, present_sources
from newsletter.editions.rendering.values import ItemContent, Source
from newsletter.feeds import hand_draft
from newsletter.feeds import publish as hand
from newsletter.feeds.cutting.cut import Piece
from newsletter.feeds.hand_draft import HandDraft
from newsletter.feeds.parsing.model import ParsedEntry
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.lib.small_numbers import PeopleCount, people_count
from newsletter.matching.engine.document import Document
from newsletter.matching.items.near_misses import TopicFit, fit_topics
from newsletter.matching.topics.audience import people_who_may_be_mailed
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.items.forms import HandItemForm
from newsletter.web.desk.page import done, page, refused
from newsletter.web.typed_number import shown_moved

#: Processor time for asking all topics, in seconds.
_SECONDS = 0.3


@dataclass(frozen=True)
class HandPreview:
    """A draft as mails would show it, which topics it matches, and how many people follow them."""

    shown: ShownItem
    sources: list[ShownSource]
    fit: TopicFit
    people: PeopleCount
    #: What the preview was made of.
    digest: str


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest) -> HttpResponse:
    """Publish a new item."""
    now = db.now()
    if request.method != "POST":
        form = HandItemForm(now=now, initial={"token": uuid4(), "language": "en"})
        return _page(request, {"form": form})
    form = HandItemForm(request.POST, now=now)
    if not form.is_valid():
        return _page(request, {"form": form})
    preview = _preview(form.draft(), now)
    if request.POST.get("action") == "publish":
        changed, moved = _differs(request, preview), shown_moved(request.POST.get("people", ""), preview.people)
        if not changed and not moved:
            return _publish(request, form, now)
        context = {"form": form, "preview": preview, "moved": moved and not changed, "changed": changed}
        return _page(request, context)
    return _page(request, {"form": form, "preview": preview})


def _publish(request: HttpRequest, form: HandItemForm, now: datetime) -> HttpResponse:
    item = hand.publish(form.draft(), token=form.publication, actor=actor_of(request), now=now)
    if isinstance(item, Refused):
        return refused(request, gettext(item.reason), reverse("desk_items_publish"))
    sentence = gettext("“%(title)s” is published. It is matched within a minute.") % {"title": item.title}
    return done(request, sentence, reverse("desk_items_item", args=[item.item_id]))


@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, item_id: int) -> HttpResponse:
    """Correct an item that was published by hand."""
    now, address = db.now(), reverse("desk_items_item", args=[item_id])
    typed = hand.typed(item_id)
    if isinstance(typed, Refused):
        if hand.item_exists(item_id):
            return refused(request, gettext(typed.reason), address)
        raise Http404
    context: dict[str, Any] = {"item_id": item_id, "title": typed.title}
    if request.method != "POST":
        form = HandItemForm(now=now, language=typed.language, initial=vars(typed))
        return _page(request, {**context, "form": form})
    form = HandItemForm(request.POST, now=now, language=typed.language)
    if not form.is_valid():
        return _page(request, {**context, "form": form})
    preview = _preview(form.draft(), now)
    correction = hand.preview_correction(item_id, form.draft(), now=now)
    if isinstance(correction, Refused):
        return refused(request, gettext(correction.reason), address)
    context |= {"form": form, "preview": preview, "correction": correction}
    version = request.POST.get("version", "")
    if request.POST.get("action") != "publish" or _differs(request, preview) or version != str(correction.version):
        context["changed"] = request.POST.get("action") == "publish"
        return _page(request, context)
    after = hand.correct(item_id, form.draft(), based_on=correction.version, actor=actor_of(request), now=now)
    if isinstance(after, Refused):
        return refused(request, gettext(after.reason), address)
    sentence = gettext("Corrected: this is version %(n)d now.") if after.changed else gettext("No change was made.")
    return done(request, sentence % {"n": after.version} if after.changed else sentence, address)


def _page(request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    nothing = dict.fromkeys(("item_id", "preview", "correction", "moved", "changed"))
    return page(request, "desk/items/publish.html.j2", {**nothing, **context})


def _preview(draft: HandDraft, now: datetime) -> HandPreview:
    entry = hand_draft.entry_of(draft, "preview", now=now)
    piece = hand_draft.piece_of(draft, entry)
    publishers = tuple(source.publisher for source in piece.cited if source.publisher)
    fit = fit_topics(
        Document(piece.title, piece.text, draft.language, publishers, feed=hand.FEED_TITLE), seconds=_SECONDS
    )
    mailing = [match.topic_id for match in fit.matches if not match.held]
    people = people_count(people_who_may_be_mailed(mailing, now=now), threshold=wiring.config().small_number)
    content = _content(draft, entry, piece)
    return HandPreview(present_item(content, [], "en"), present_sources([content], "en"), fit, people, _digest(draft))


def _content(draft: HandDraft, entry: ParsedEntry, piece: Piece) -> ItemContent:
    return ItemContent(
        item_id=0,
        version=1,
        title=piece.title,
        text=piece.text,
        html=piece.html,
        url=entry.url,
        sources=tuple(Source(source.publisher, source.published_on, source.url) for source in piece.cited),
        lang=draft.language,
        published_at=entry.published_at or db.now(),
    )


def _digest(draft: HandDraft) -> str:
    """What tells whether the form was changed after its preview."""
    return hashlib.sha256(repr(astuple(draft)).encode()).hexdigest()[:16]


def _differs(request: HttpRequest, preview: HandPreview) -> bool:
    return request.POST.get("previewed") != preview.digest
