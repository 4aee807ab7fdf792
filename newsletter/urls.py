"""Every address of the web pages."""

from django.urls import URLPattern, URLResolver, path

from newsletter.links import PATHS
from newsletter.web import health, quiet
from newsletter.web.hooks import sendgrid
from newsletter.web.public import ask, confirm, leave, objection, pages, preferences, subscribe


def _mailed(name: str) -> str:
    """The pattern of a page that mails link to: their paths are `links.py`'s, for both sides."""
    return PATHS[name].lstrip("/").replace("{token}", "<str:token>")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", subscribe.subscribe, name="subscribe"),
    path("expect", subscribe.expect, name="expect"),
    path(_mailed("confirm"), confirm.confirm, name="confirm"),
    path("preferences", ask.ask_address, name="ask_address"),
    path("asked", ask.asked, name="asked"),
    path(_mailed("preferences"), preferences.preferences, name="preferences"),
    path(_mailed("ask"), ask.ask_token, name="ask"),
    path(_mailed("unsubscribe"), leave.unsubscribe, name="unsubscribe"),
    path(_mailed("one_click"), leave.one_click, name="one_click"),
    path(_mailed("objection"), objection.objection, name="objection"),
    path("objected", objection.objected, name="objected"),
    path("undo/<str:token>", leave.undo, name="undo"),
    path("privacy", pages.privacy, name="privacy"),
    path("robots.txt", pages.robots, name="robots"),
    path(".well-known/security.txt", pages.security, name="security"),
    path("hooks/sendgrid", sendgrid.events, name="sendgrid_events"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]

handler400 = "newsletter.web.errors.bad_request"
handler403 = "newsletter.web.errors.forbidden"
handler404 = "newsletter.web.errors.not_found"
handler500 = "newsletter.web.errors.broken"

quiet.keep_paths_out()
