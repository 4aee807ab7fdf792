"""Every route of the desk as the router knows it, so that a new one is opened by the tests without being listed."""

from collections.abc import Iterator
from uuid import UUID

from django.urls import URLPattern, get_resolver, reverse
from django.urls.converters import IntConverter, UUIDConverter

from newsletter.web.desk.access import Access


def desk_routes() -> list[URLPattern]:
    """All routes under `/desk/`."""
    (desk,) = (entry for entry in get_resolver().url_patterns if str(entry.pattern) == "desk/")
    return list(_flat(desk.url_patterns))


def _flat(patterns) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from _flat(pattern.url_patterns)


def address(route: URLPattern, **known: object) -> str:
    """The path of a route; parameters that are not in `known` get a value that leads nowhere."""
    arguments = {name: known.get(name, _nowhere(converter)) for name, converter in route.pattern.converters.items()}
    return reverse(route.name, kwargs=arguments)


def access(route: URLPattern) -> Access:
    """Who may open it."""
    return route.callback.access


def _nowhere(converter: object) -> object:
    if isinstance(converter, IntConverter):
        return 999_999
    return UUID(int=1) if isinstance(converter, UUIDConverter) else "nowhere"
