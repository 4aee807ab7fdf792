"""Row 3: a token opens one door for a time, and is told to nobody."""

import logging
from datetime import timedelta

import pytest
from django.urls import reverse

from newsletter.lib import clock, urls
from newsletter.models import Notice
from tests.web.conftest import press

pytestmark = pytest.mark.django_db


def test_a_link_that_stops_mail_opens_nothing_else(client, lasting):
    token = lasting("unsubscribe")
    for name in ("preferences", "ask", "confirm", "objection"):
        assert client.get(reverse(name, args=[token])).status_code == 404


def test_an_expired_link_shows_nothing_and_changes_nothing(client, anna, manage):
    Notice.objects.update(expires_at=clock.utcnow() - timedelta(seconds=1))
    path = reverse("preferences", args=[manage])
    for page in (client.get(path), client.post(path, {"stop": "1"})):
        assert page.status_code == 410 and b"Huawei" not in page.content


def test_pages_with_tokens_tell_no_other_site_and_load_nothing(client, anna, manage, lasting):
    paths = [reverse("preferences", args=[manage])]
    paths += [reverse(name, args=[lasting(name)]) for name in ("ask", "unsubscribe")]
    for path in paths:
        page = client.get(path)
        assert page.status_code == 200 and page.headers["Referrer-Policy"] == "strict-origin"
        assert page.headers["Cache-Control"] == "no-store"
        html = page.content.decode()
        assert 'src="http' not in html and 'href="http' not in html


def test_no_log_line_holds_a_token(browser, anna, manage, lasting, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = [manage, lasting("unsubscribe"), lasting("ask"), "A" * 22]
    for token in tokens:
        for name in urls.PATHS:
            path = reverse(name, args=[token])
            browser.get(path)
            browser.post(path)
    press(browser, reverse("unsubscribe", args=[lasting("unsubscribe")]))
    told = "\n".join(record.getMessage() for record in caplog.records if "sql" not in record.__dict__)
    assert not any(token in told for token in tokens)
