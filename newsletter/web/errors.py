"""Pages for what went wrong; each says what to do next."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A button was pressed on a page that had grown old, or from another site."""
    return render(request, "public/error.html.j2", {"what": "stale"}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What arrived is not what our forms send."""
    return render(request, "public/error.html.j2", {"what": "bad"}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Not for this visitor."""
    return render(request, "public/error.html.j2", {"what": "forbidden"}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """There is no such page."""
    return render(request, "public/error.html.j2", {"what": "missing"}, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return render(request, "public/error.html.j2", {"what": "broken"}, status=500)
