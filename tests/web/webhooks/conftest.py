"""Fixtures of the webhook's tests."""

from tests.web.webhooks.sendgrid_posts import _key, mail  # noqa: F401 - fixtures
