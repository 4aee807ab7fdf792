"""Stopping all mail: a page with a button, the one-click address of RFC 8058, and taking it back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter import wiring
from newsletter.lib import clock, urls
from newsletter.models import Subscription
from newsletter.subscribers import unsubscribe as subscribers_unsubscribe
from newsletter.subscribers.tokens import InvalidToken
from newsletter.web.public.responses import invalid_link_page
from newsletter.worker import tasks


@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the button, without address or topics: mail is forwarded. POST ends everything."""
    if request.method != "POST":
        return _button(request, token)
    done = subscribers_unsubscribe.unsubscribe(token, now=clock.utcnow(), vault=wiring.vault())
    if isinstance(done, InvalidToken):
        return invalid_link_page(request, done)
    undo_path = reverse("undo", args=[done.undo_token]) if done.undo_token else None
    return render(request, "public/left.html.j2", {"undo": undo_path, "private": True})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def one_click(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8058: the mailbox provider posts here for the reader, with no cookie and from anywhere; answered with 200, no redirect.

    The token alone allows it, and it can do nothing else. The body must be the one that RFC 8058 section 3.1 demands, as
    application/x-www-form-urlencoded or multipart/form-data: scanners post to links too, but not that. GET shows the page
    with the button.
    """
    if request.method != "POST":
        return _button(request, token)
    if request.POST.get("List-Unsubscribe", "").strip() != "One-Click":
        if not subscribers_unsubscribe.is_unsubscribe_link(token, vault=wiring.vault()):
            return invalid_link_page(request, InvalidToken())
        return _plain(gettext("Nothing was changed. Post List-Unsubscribe=One-Click as a form (RFC 8058)."), status=400)
    done = subscribers_unsubscribe.unsubscribe(
        token, now=clock.utcnow(), vault=wiring.vault(), reason=Subscription.EndedReason.ONE_CLICK
    )
    if isinstance(done, InvalidToken):
        return invalid_link_page(request, done)
    return _plain(gettext("You are unsubscribed."))


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """Bring back what ended when all mail was stopped, and tell the person so by mail."""
    if request.method != "POST":
        if not subscribers_unsubscribe.undoable(token, now=clock.utcnow(), vault=wiring.vault()):
            return invalid_link_page(request, InvalidToken())
        return render(request, "public/undo.html.j2", {"private": True})
    done = subscribers_unsubscribe.undo(token, now=clock.utcnow(), vault=wiring.vault())
    if isinstance(done, InvalidToken):
        return invalid_link_page(request, done)
    if done.notice_id is not None:
        tasks.publish("notices")
    return render(request, "public/returned.html.j2", {"restored": done.restored, "private": True})


def _plain(words: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")


def _button(request: HttpRequest, token: str) -> HttpResponse:
    if not subscribers_unsubscribe.is_unsubscribe_link(token, vault=wiring.vault()):
        return invalid_link_page(request, InvalidToken())
    action = urls.path("unsubscribe", token)
    return render(request, "public/unsubscribe.html.j2", {"action": action, "private": True})
