"""The first page of the desk: is everything all right, and what needs somebody?"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter.web.desk.page import page


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What needs somebody, and today in numbers."""
    return page(request, "desk/home/home.html.j2")
