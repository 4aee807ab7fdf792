"""The one Django app."""

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    """Names the app; all tables live in it."""

    name = "newsletter"
    default_auto_field = "django.db.models.AutoField"
