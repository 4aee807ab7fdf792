"""Every address of the web pages."""

from django.urls import URLPattern, URLResolver, include, path

from newsletter.lib.urls import PATHS
from newsletter.web import brand, health, log_filter
from newsletter.web.outbox import views as outbox
from newsletter.web.public import (
    confirm,
    manage_link,
    not_about_topic,
    preferences,
    static_pages,
    subscribe,
    unsubscribe,
)
from newsletter.web.webhooks import sendgrid


def _mailed(name: str) -> str:
    """The pattern of a page that mails link to: their paths are those of `lib/urls.py`, for both sides."""
    return PATHS[name].lstrip("/").replace("{token}", "<str:token>")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", subscribe.subscribe, name="subscribe"),
    path("expect", subscribe.expect, name="expect"),
    path(_mailed("confirm"), confirm.confirm, name="confirm"),
    path("preferences", manage_link.ask_address, name="ask_address"),
    path("asked", manage_link.asked, name="asked"),
    path(_mailed("preferences"), preferences.preferences, name="preferences"),
    path(_mailed("ask"), manage_link.ask_token, name="ask"),
    path(_mailed("unsubscribe"), unsubscribe.unsubscribe, name="unsubscribe"),
    path(_mailed("one_click"), unsubscribe.one_click, name="one_click"),
    path(_mailed("objection"), not_about_topic.objection, name="objection"),
    path("objected", not_about_topic.objected, name="objected"),
    path("undo/<str:token>", unsubscribe.undo, name="undo"),
    path("privacy", static_pages.privacy, name="privacy"),
    path("brand/colors.css", brand.colors, name="colors"),
    path("brand/icon.svg", brand.icon, name="icon"),
    path("brand/logo.svg", brand.logo, name="logo"),
    path("robots.txt", static_pages.robots, name="robots"),
    path(".well-known/security.txt", static_pages.security, name="security"),
    path("desk/", include("newsletter.web.desk.urls")),
    path("api/v1/", include("newsletter.web.api.urls")),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<str:name>", outbox.mail, name="outbox_mail"),
    path("outbox/<str:name>/html", outbox.mail_html, name="outbox_html"),
    path("hooks/sendgrid", sendgrid.events, name="sendgrid_events"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]

handler400 = "newsletter.web.errors.bad_request"
handler403 = "newsletter.web.errors.forbidden"
handler404 = "newsletter.web.errors.not_found"
handler500 = "newsletter.web.errors.broken"

log_filter.keep_paths_out()
