"""The people and browsers of the pages' tests."""

from tests.web.conftest import anna, browser, lasting, manage, topics  # noqa: F401 - fixtures
