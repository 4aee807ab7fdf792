"""The addresses of the API, below `/api/v1/`. Only a process that serves pages imports this, and with it django-ninja."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from newsletter.web.api.once import remember
from newsletter.web.api.problems import MEDIA_TYPE, not_found, problem
from newsletter.web.api.service import build

api = build()


def _api_answers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, whose refusals of a method are problem details too, and whose answers nothing keeps."""

    @csrf_exempt
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == 405 and response.headers.get("Content-Type") != MEDIA_TYPE:
            allowed = response.headers.get("Allow", "")
            response = problem(405, f"this address knows {allowed}", headers={"Allow": allowed})
        response.headers.setdefault("Cache-Control", "no-store")
        remember(request, response)
        return response

    return answer


def _patterns() -> list[URLPattern]:
    made, _, _ = api.urls
    return [
        path(
            str(pattern.pattern),
            _api_answers(pattern.callback if pattern.name != "api-root" else not_found),
            name=pattern.name,
        )
        for pattern in made
        if isinstance(pattern, URLPattern)
    ]


app_name = "api"
urlpatterns = [*_patterns(), re_path(r"^(?P<path>.*)$", _api_answers(not_found), name="missing")]
