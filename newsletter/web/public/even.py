"""Answers that take equally long whatever became of the address: time must not tell who is subscribed."""

import time
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

#: Seconds. Longer than the work of any class of address takes.
FLOOR = 0.25

View = Callable[..., HttpResponse]


def even(view: View) -> View:
    """Let a POST answer no sooner than `FLOOR` after it came."""

    @wraps(view)
    def evened(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        began = time.monotonic()
        response = view(request, *args, **kwargs)
        if request.method == "POST":
            time.sleep(max(0.0, began + FLOOR - time.monotonic()))
        return response

    return evened
