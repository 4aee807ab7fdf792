"""Addresses of pages that may not be there, or not for everybody: a link that would lead nowhere is not shown."""

from collections.abc import Mapping
from typing import Any

from django.urls import NoReverseMatch, resolve, reverse

from newsletter.models import Admin
from newsletter.web.desk.access import allows


def routed(
    name: str, arguments: Mapping[str, Any] | None = None, query: str = "", *, admin: Admin | None = None
) -> str:
    """The address of a route with its query; empty if there is no such route, or this admin may not open it."""
    try:
        address = reverse(name, kwargs=dict(arguments or {}))
    except NoReverseMatch:
        return ""
    access = getattr(resolve(address).func, "access", None)
    if admin is not None and access is not None and not allows(access, admin):
        return ""
    return f"{address}?{query}" if query else address
