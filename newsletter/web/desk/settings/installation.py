"""Every setting of the installation, to read; they are changed where the service is started."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter import __version__
from newsletter.web.desk.page import page


@require_safe
def installation(request: HttpRequest) -> HttpResponse:
    """All settings with their origin; those that somebody set come first."""
    rows = sorted(settings.NEWSLETTER_IN_EFFECT, key=lambda row: row.origin == "default")
    return page(request, "desk/settings/installation.html.j2", {"rows": rows, "version": __version__})
