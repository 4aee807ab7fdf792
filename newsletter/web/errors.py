"""Pages for what went wrong; each says what to do next."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A button was pressed on a page that had grown old, or from another site."""
    return render(request, "error.html.j2", {"what": "stale"}, status=403)
