"""The preferences page: each of its buttons, and what it refuses."""

import pytest
from django.urls import reverse

from newsletter.models import Notice, Subscriber, Subscription
from tests.web.conftest import WORD, press

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(manage):
    return reverse("preferences", args=[manage])


def live():
    return Subscription.objects.filter(ended_at=None)


def saving(**other):
    return {"save": "1", "hour": "7", "weekday": "0", "zone": "Europe/Berlin", "subject": "neutral"} | other


def test_it_shows_what_is_followed_and_no_address(client, path):
    html = client.get(path).content.decode()
    assert all(words in html for words in ("Huawei", "Uyghur", WORD, "your keyword"))
    assert "canary" not in html and "noindex" in html


def test_save(browser, path):
    done = press(browser, path, **saving(hour="21", zone="Asia/Tokyo", subject="headlines"))
    assert done.headers["Location"] == f"{path}?done=saved"
    assert "Saved." in browser.get(done.headers["Location"]).content.decode()
    person = Subscriber.objects.get()
    assert (person.daily_rhythm.zone, person.daily_rhythm.hour, person.look.discreet) == ("Asia/Tokyo", 21, False)
    assert set(live().values_list("cadence", flat=True)) == {2}


def test_a_frequency_is_saved_where_it_is_changed(browser, path):
    topic = live().get(topic__name="Huawei")
    done = press(browser, path, frequency=topic.id, cadence="1")
    assert done.headers["Location"] == f"{path}?done=saved"
    assert set(live().values_list("topic__name", "cadence")) == {("Huawei", 1), ("Uyghur", 2), (None, 2)}
    assert Subscriber.objects.get().daily_rhythm.hour == 7


@pytest.mark.parametrize("cadence", ["", "0", "4", "x", "१"])
def test_a_frequency_that_is_none_changes_nothing(browser, path, cadence):
    topic = live().get(topic__name="Huawei")
    assert press(browser, path, frequency=topic.id, cadence=cadence).headers["Location"] == path, "nothing was saved"
    assert live().get(topic__name="Huawei").cadence == 2


def test_who_was_never_asked_for_a_time_zone_is_asked_when_a_digest_needs_it(browser, anna, path):
    from newsletter.models import Rhythm

    Rhythm.objects.update(zone="UTC")
    topic = live().get(topic__name="Huawei")
    assert press(browser, path, frequency=topic.id, cadence="1").headers["Location"].endswith("?done=saved")
    done = press(browser, path, frequency=topic.id, cadence="3")
    assert "Your time zone is UTC. Is that right?" in browser.get(done.headers["Location"]).content.decode()


def test_new_choices_come_as_often_as_most_of_the_others(browser, path):
    adding = browser.get(path).content.decode().partition('id="more"')[2]
    assert '<option value="2" selected>' in adding
    live().update(cadence=3)
    adding = browser.get(path).content.decode().partition('id="more"')[2]
    assert '<option value="3" selected>' in adding.partition('id="how"')[0]


def test_a_stopped_topic_appears_once(browser, path):
    topic = live().get(topic__name="Huawei")
    press(browser, path, stop=topic.id)
    page = browser.get(path).content.decode()
    assert page.count("<bdi>Huawei</bdi>") == 1 and f'name="topics" value="{topic.topic_id}"' not in page


@pytest.mark.parametrize("wrong", [{"hour": "99"}, {"zone": "Nowhere/At_All"}, {"zone": ""}, {"subject": ""}])
def test_mistakes(browser, path, wrong):
    page = press(browser, path, **saving(**wrong))
    assert page.status_code == 422 and b'role="alert"' in page.content
    assert Subscriber.objects.get().daily_rhythm.hour == 7


def test_a_zone_that_the_list_does_not_name_is_kept(browser, anna, path):
    from newsletter.models import Rhythm

    Rhythm.objects.update(zone="Europe/Prague")
    assert b'value="Europe/Prague" selected' in browser.get(path).content
    assert press(browser, path, **saving(zone="Europe/Prague")).status_code == 303


def test_stop_and_undo(browser, path):
    one = live().get(topic__name="Huawei")
    assert press(browser, path, stop=one.id).headers["Location"].endswith("stopped")
    assert live().count() == 2
    assert f'name="resume" value="{one.id}"' in browser.get(path).content.decode()
    assert press(browser, path, resume=one.id).headers["Location"].endswith("resumed")
    assert live().count() == 3


@pytest.mark.parametrize("number", ["", "x", "-1", "0", "99999999999999999999", "१"])
def test_a_number_that_is_none_stops_nothing(browser, path, number):
    assert press(browser, path, stop=number).status_code == 303
    assert live().count() == 3


def test_add_a_word_and_see_first_what_it_matches(browser, path):
    assert "matches" in press(browser, path, keyword="Kashgar", cadence="2", preview="1").content.decode()
    assert live().count() == 3
    assert press(browser, path, keyword="Kashgar", cadence="3", add="1").headers["Location"].endswith("added")
    assert live().count() == 4 and live().filter(cadence=3).count() == 1
    assert press(browser, path, keyword="", cadence="2", add="1").status_code == 422


def test_stop_everything_from_here(browser, path):
    html = browser.get(path).content.decode()
    leave = html.partition('action="/unsubscribe/')[2].partition('"')[0]
    assert press(browser, f"/unsubscribe/{leave}").status_code == 200
    assert not live().exists()
    assert "You are unsubscribed" in browser.get(path).content.decode()


def test_the_link_works_more_than_once_and_leaves_no_mark(browser, path):
    for _ in range(3):
        press(browser, path, **saving())
    assert Notice.objects.get(kind="manage").used_at is None


def test_there_is_a_limit(browser, path, monkeypatch):
    monkeypatch.setattr("newsletter.web.public.preferences.MOST", 3)
    page = press(browser, path, keyword="Kashgar", cadence="2", add="1")
    assert page.status_code == 422 and b"Stop one first" in page.content
    assert live().count() == 3
