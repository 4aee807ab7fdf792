"""The "not about this topic" link of a mail: a page with a button, which counts and does not ask who."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from newsletter import wiring
from newsletter.lib import clock
from newsletter.matching.topics import reader_feedback
from newsletter.subscribers.tokens import InvalidToken
from newsletter.web.public.responses import invalid_link_page
from newsletter.web.see_other import SeeOther


@require_http_methods(["GET", "HEAD", "POST"])
def objection(request: HttpRequest, token: str) -> HttpResponse:
    """GET names the article and the topic, which the mail says too, and shows the button. POST counts one more."""
    if request.method != "POST":
        match = reader_feedback.objected_match(token, vault=wiring.vault())
        if match is None:
            return invalid_link_page(request, InvalidToken())
        context = {"article": match.title, "topic": match.topic, "private": True}
        return render(request, "public/objection.html.j2", context)
    if not reader_feedback.record_objection(token, now=clock.utcnow(), vault=wiring.vault()):
        return invalid_link_page(request, InvalidToken())
    return SeeOther(reverse("objected"))


@require_safe
def objected(request: HttpRequest) -> HttpResponse:
    """Thanks: the same page whatever was counted."""
    return render(request, "public/objected.html.j2", {"private": True})
