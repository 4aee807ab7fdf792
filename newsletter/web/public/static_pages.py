"""Pages that say something and ask nothing."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.lib import clock

_PLAIN = "text/plain; charset=utf-8"


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, and what not."""
    return render(request, "public/privacy.html.j2")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """RFC 9309: pages that only a mailed link leads to are nobody else's."""
    private = ("/confirm/", "/preferences/", "/ask/", "/unsubscribe/", "/one-click/", "/objection/", "/undo/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in private)]
    return HttpResponse("\n".join(lines) + "\n", content_type=_PLAIN)


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """RFC 9116: whom to tell of a weakness."""
    expires = (clock.utcnow() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    words = f"Contact: mailto:{wiring.config().contact}\nExpires: {expires}\nPreferred-Languages: en\n"
    return HttpResponse(words, content_type=_PLAIN)
