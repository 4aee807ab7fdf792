"""The frame around every page: who sees which section, and who may open what."""

from dataclasses import replace

import pytest
from django.test import RequestFactory
from django.urls import reverse

from newsletter import wiring
from newsletter.lib import clock
from newsletter.lib.mail.references import reference
from newsletter.models import Admin, Delivery, Feed
from newsletter.status.find_thing import find_things
from newsletter.web import errors
from newsletter.web.desk.frame import frame
from newsletter.web.desk.routed import routed
from tests import factories


def test_home_asks_a_stranger_to_sign_in_and_comes_back(client, db):
    answer = client.get("/desk/")
    assert answer.status_code == 302 and answer.url == "/desk/sign-in/?next=/desk/"


def test_an_editor_sees_no_section_of_people(as_editor):
    html = as_editor.get("/desk/").content.decode()
    assert 'aria-current="page">Home' in html
    assert "/desk/people/" not in html and "/desk/sending/" not in html


def test_the_policy_of_a_page_allows_no_inline_code(as_owner):
    policy = as_owner.get(reverse("desk_home")).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy


def test_a_request_for_another_host_is_refused_with_a_page(client, db):
    assert client.get("/desk/", headers={"host": "elsewhere.example"}).status_code == 400


def test_a_number_stands_beside_feeds_that_need_somebody_and_in_the_title(as_editor, settings):
    Feed.objects.create(url="https://a.example/", failures=2, next_fetch_at=clock.utcnow(), created_at=clock.utcnow())
    html = as_editor.get("/desk/").content.decode()
    assert "<title>(1) " in html
    settings.NEWSLETTER = replace(settings.NEWSLETTER, environment="staging")
    assert "<b>staging</b>" in as_editor.get("/desk/").content.decode()


def test_times_are_shown_in_utc_and_in_the_admins_zone(editor, as_editor):
    Admin.objects.filter(id=editor.id).update(time_zone="Asia/Tokyo")
    assert "Times are in Asia/Tokyo." in as_editor.get("/desk/").content.decode()
    answer = as_editor.post("/desk/clock/", {"clock": "utc", "back": "/desk/?a=1"})
    assert (answer.status_code, answer.url) == (303, "/desk/?a=1")
    assert "Times are in UTC." in as_editor.get("/desk/").content.decode()
    assert as_editor.post("/desk/clock/", {"clock": "own", "back": "//evil.example/desk/"}).url == "/desk/"
    assert "Times are in Asia/Tokyo." in as_editor.get("/desk/").content.decode()


@pytest.mark.parametrize("typed", ["reader@example.org", "reader＠example.org"])
def test_an_address_is_refused_and_kept_nowhere(as_owner, typed, caplog):
    answer = as_owner.post("/desk/go/", {"what": typed})
    assert (answer.status_code, answer.url) == (303, "/desk/")
    html = as_owner.get("/desk/").content.decode()
    assert "An address is not looked up here" in html and "reader" not in html + caplog.text


def test_go_to_finds_a_mail_an_item_a_topic_and_a_feed(as_editor):
    planned = factories.planned(1)
    topic = factories.topic("Cable")
    feed = Feed.objects.get()
    Feed.objects.filter(id=feed.id).update(title="The Cable News")
    found = lambda typed: [(thing.kind.value, thing.id) for thing in find_things(typed, factories.VAULT)]  # noqa: E731
    delivery = Delivery.objects.get()
    assert found(reference(delivery.id, factories.VAULT)) == [("delivery", delivery.id)]
    assert found(f"#{planned.item.id}") == [("item", planned.item.id)]
    assert found("cable") == [("topic", topic.id)], "a whole name comes alone"
    assert found("the cable") == [("feed", feed.id)]
    assert found("able") == [("topic", topic.id), ("feed", feed.id)]
    word = reference(delivery.id, wiring.vault())
    assert as_editor.post("/desk/go/", {"what": word.lower()}).url == reverse("desk_mailings_delivery", args=[word])
    assert as_editor.post("/desk/go/", {"what": "cable"}).url == reverse("desk_topics_topic", args=[topic.id])
    as_editor.post("/desk/go/", {"what": "able"})
    assert "Several things have such a name: “Cable”, “The Cable News”" in as_editor.get("/desk/").content.decode()


def test_the_script_takes_no_sentence_away_from_the_next_page(as_editor):
    as_editor.post("/desk/go/", {"what": "nothing of this name"})
    assert "Nothing has this name" not in as_editor.get("/desk/", headers={"X-Refresh": "1"}).content.decode()
    if routed("desk_items") == "":
        assert "Nothing has this name" in as_editor.get("/desk/").content.decode()


def test_the_frame_costs_few_queries(as_editor, django_assert_max_num_queries):
    request = RequestFactory().get("/desk/")
    # the session is read for whoever is signed in, too
    request.user, request.session, request.resolver_match = Admin.objects.get(), as_editor.session, None
    request._messages = []
    with django_assert_max_num_queries(5):
        assert frame(request)["frame"]["needs"] == 0


def test_what_is_not_there_is_told_in_the_frame_to_admins_only(as_editor, client):
    missing = reverse("desk_topics_topic", args=[999_999])
    html = as_editor.get(missing).content.decode()
    assert "Nothing is here" in html and 'aria-label="Desk"' in html and "As of" not in html
    html = client.get("/desk/nowhere").content.decode()
    assert "Page not found" in html and "Desk" not in html


def test_a_fault_of_ours_asks_the_database_for_no_frame(as_editor, django_assert_num_queries, rf):
    request = rf.get("/desk/")
    request.user = Admin.objects.get()
    with django_assert_num_queries(0):
        assert errors.broken(request).status_code == 500
