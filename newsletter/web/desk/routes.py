"""A route of the desk: a Django path that cannot be written without saying who may open it."""

from django.urls import URLPattern, path

from newsletter.web.desk.access import Access, View, guarded


def route(address: str, view: View, name: str, access: Access, *, recent: bool = False) -> URLPattern:
    """The path `address` under `/desk/`, for those whom `access` allows.

    `recent`: the password or a second factor was asked for in the last 30 minutes, or is asked for now.
    """
    return path(address, guarded(view, access, recent=recent), name=name)
