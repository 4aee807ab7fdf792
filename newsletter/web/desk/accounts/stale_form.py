"""A form whose word against forgery is old, because its admin signed in meanwhile in another tab."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from newsletter.web import errors
from newsletter.web.desk.accounts.typed import typed_fields
from newsletter.web.desk.page import page


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show what was typed with a button that sends it again; for forms of other sites, refuse."""
    if request.path.startswith("/desk/") and _is_ours(request) and typed_fields(request):
        return page(request, "desk/accounts/stale_form.html.j2", {"typed": typed_fields(request)}, status=403)
    return errors.csrf_failure(request, reason)


def _is_ours(request: HttpRequest) -> bool:
    """Whether a page of this site sent the form; browsers say so, and no other site can."""
    own = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
    return request.headers.get("Origin") in own
