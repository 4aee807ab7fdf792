"""Addresses of pages that may not be there: a page group can be left out, and problems link to all of them."""

from collections.abc import Mapping
from typing import Any

from django.urls import NoReverseMatch, reverse


def routed(name: str, arguments: Mapping[str, Any] | None = None, query: str = "") -> str:
    """The address of a route with its query; empty if there is no such route."""
    try:
        address = reverse(name, kwargs=dict(arguments or {}))
    except NoReverseMatch:
        return ""
    return f"{address}?{query}" if query else address
