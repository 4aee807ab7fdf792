"""Pages for what went wrong; each says what to do next."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A button was pressed on a page that had grown old, or from another site."""
    return _page(request, "stale", 403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What arrived is not what our forms send."""
    return _page(request, "bad", 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Not for this visitor."""
    return _page(request, "forbidden", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """There is no such page."""
    return _page(request, "missing", 404)


def broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return render(request, "public/error.html.j2", {"what": "broken"}, status=500)


def _page(request: HttpRequest, what: str, status: int) -> HttpResponse:
    """For admins who are signed in with the frame of the desk; everybody else learns nothing of it."""
    user = getattr(request, "user", None) if request.path.startswith("/desk/") else None
    on_desk = user is not None and user.is_authenticated
    return render(request, f"{'desk' if on_desk else 'public'}/error.html.j2", {"what": what}, status=status)
