"""The page that SendGrid posts events to: what is not signed leaves no row, what is repeated changes nothing."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from newsletter.lib import clock
from newsletter.models import Event, Suppression
from newsletter.providers.sendgrid.webhook import LARGEST
from newsletter.web.webhooks import sendgrid
from tests import reports
from tests.web.webhooks.sendgrid_posts import PATH, post, token

pytestmark = pytest.mark.django_db


def test_signed_events_are_stored_and_followed_and_repeating_them_is_harmless(mail, caplog) -> None:
    bounced = reports.event(
        token(mail), "bounce", type="bounce", email="canary@example.org", reason="550 <canary@example.org>"
    )
    raw = reports.body(
        [bounced, reports.event("A" * 22, "bounce"), reports.event(token(mail), "click", url="https://x")]
    )
    for _ in range(3):
        assert post(raw).status_code == 204
    assert [(event.kind, event.detail) for event in Event.objects.all()] == [("bounce", "550")]
    assert Suppression.objects.get().reason == "bounce"


def test_an_event_that_holds_half_a_character_stops_no_other(mail) -> None:
    half = reports.event(token(mail), "spamreport", email="\ud800@example.org", url="\ud800", attempt="\ud800")
    good = reports.event(token(mail), "bounce", type="bounce", email="canary@example.org", status="5.1.1")
    assert post(reports.body([half, good])).status_code == 204
    assert Suppression.objects.get().reason == "bounce"


def test_without_a_key_there_is_no_such_page(settings, mail) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, sendgrid_webhook_keys=())
    assert post(reports.body([reports.event(token(mail))])).status_code == 404
    assert Client().get(PATH).status_code == 404
    assert not Event.objects.exists()


def test_what_is_not_believed_leaves_no_row_and_is_not_parsed(mail, monkeypatch, django_assert_num_queries) -> None:
    raw = reports.body([reports.event(token(mail), "spamreport")])
    monkeypatch.setattr(sendgrid.webhook, "json", None)
    with django_assert_num_queries(0):
        assert Client().post(PATH, raw, content_type="application/json").status_code == 401
        assert post(raw, **{"X-Twilio-Email-Event-Webhook-Signature": "AAAA"}).status_code == 403
        assert post(raw, **{"X-Twilio-Email-Event-Webhook-Timestamp": "now"}).status_code == 401
        assert post(raw, at=clock.utcnow() - timedelta(minutes=11)).status_code == 403
    assert not Event.objects.exists() and not Suppression.objects.exists()


def test_garbled_events_are_refused(mail) -> None:
    assert post(b"{}").status_code == 400
    assert post(b"[").status_code == 400
    assert post(b"[]").status_code == 204


def test_other_methods_are_told_which_one() -> None:
    for method in ("get", "put", "delete", "head", "options"):
        page = getattr(Client(), method)(PATH)
        assert (page.status_code, page.headers["Allow"]) == (405, "POST")


def test_a_large_post_is_taken_and_a_larger_one_is_not_read(mail) -> None:
    assert post(b" " * (LARGEST - 2) + b"[]").status_code == 204
    assert post(b" " * (LARGEST - 1) + b"[]").status_code == 413
    assert Client().post(PATH, b"[]", content_type="application/json", CONTENT_LENGTH="nonsense").status_code == 413


def test_without_a_database_it_is_to_be_posted_again(mail, monkeypatch) -> None:
    def down(*_args: object, **_more: object) -> None:
        raise DatabaseError("canary@example.org")

    monkeypatch.setattr(sendgrid, "apply_reports", down)
    page = post(reports.body([reports.event(token(mail))]))
    assert page.status_code == 503 and b"canary" not in page.content


def test_neither_address_nor_token_reaches_a_row_or_the_log(mail, caplog, capfd) -> None:
    caplog.set_level(logging.DEBUG)
    said = "550 5.1.1 <canary@example.org>: no such user"
    for name in ("bounce", "deferred", "dropped", "spamreport", "delivered"):
        post(reports.body([reports.event(token(mail), name, reason=said, response=said, email="canary@example.org")]))
    post(b"canary@example.org", **{"X-Twilio-Email-Event-Webhook-Signature": "AAAA"})
    told = "\n".join(
        record.getMessage() + repr(record.__dict__) for record in caplog.records if "sql" not in record.__dict__
    )
    told += "".join(capfd.readouterr()) + repr(list(Event.objects.values())) + repr(list(Suppression.objects.values()))
    assert "canary" not in told and token(mail) not in told
    assert Event.objects.count() == 5


def test_the_page_is_where_doctor_and_readme_say() -> None:
    assert reverse("sendgrid_events") == PATH
