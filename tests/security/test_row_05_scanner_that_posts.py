"""Row 5: a scanner that also posts confirms nothing, and a button does what its own page showed."""

import re
from dataclasses import replace

import pytest
from django.urls import reverse

from newsletter import wiring
from newsletter.lib import clock
from newsletter.models import Notice, Subscription, Topic
from newsletter.subscribers.choices import MailTime
from newsletter.subscribers.confirm import choices_of
from newsletter.subscribers.notices import replace_choices
from newsletter.worker import sign_ups
from tests.web.conftest import notice_token, press, signing_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(client, topics):
    """The page of a confirmation for topic Huawei."""
    client.post("/", signing_up(topics, keyword="Kashgar"))
    sign_ups.decide()
    return reverse("confirm", args=[notice_token(Notice.objects.get())])


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', page.content.decode()))


def test_a_post_without_the_page_does_nothing(browser, path):
    assert browser.post(path).status_code == 403
    assert not Subscription.objects.exists() and Notice.objects.get().used_at is None


@pytest.mark.parametrize("shown", [None, "", "0" * 32, "é"])
def test_a_post_without_the_fingerprint_of_what_was_shown_asks_again(client, path, shown):
    page = client.post(path, {} if shown is None else {"shown": shown})
    assert page.status_code == 409 and b"Nothing has started yet" in page.content
    assert not Subscription.objects.exists() and Notice.objects.get().used_at is None


def test_a_strangers_sign_up_behind_an_open_page_is_shown_and_not_applied(browser, topics, path):
    open_page = browser.get(path)
    press(browser, "/", **signing_up(topics, topics=[topics[1].id], keyword="Zzyzx", cadence="1"))
    assert choices_of(Notice.objects.get(), wiring.vault()).keywords == ("Zzyzx",), (
        "what was typed last is in the notice"
    )
    page = browser.post(path, hidden(open_page))
    html = page.content.decode()
    assert page.status_code == 409 and "Uyghur" in html and "Zzyzx" in html and "Kashgar" not in html
    assert not Subscription.objects.exists()
    done = browser.post(path, hidden(page))
    assert done.status_code == 200 and "Uyghur" in done.content.decode() and "Zzyzx" in done.content.decode()
    assert Subscription.objects.count() == 2


def test_the_next_page_lists_what_was_started(browser, path):
    html = press(browser, path).content.decode()
    assert "Huawei" in html and "Kashgar" in html and "Once a day" in html


@pytest.mark.parametrize("change", ["hour", "retired", "renamed", "another notice"])
def test_whatever_is_shown_is_in_the_fingerprint(browser, topics, path, change):
    form, notice = hidden(browser.get(path)), Notice.objects.get()
    if change == "hour":
        choices = replace(choices_of(notice, wiring.vault()), mail_time=MailTime(hour=22))
        replace_choices(notice.subscriber, notice.kind, choices, now=clock.utcnow(), vault=wiring.vault())
    elif change == "retired":
        Topic.objects.filter(id=topics[0].id).update(state="retired")
    elif change == "renamed":
        Topic.objects.filter(id=topics[0].id).update(name="Something else")
    else:
        browser.post("/", hidden(browser.get("/")) | signing_up(topics, keyword="Kashgar", address="eve@example.org"))
        sign_ups.decide()
        path = reverse("confirm", args=[notice_token(Notice.objects.latest("id"))])
    assert browser.post(path, form).status_code == 409
    assert not Subscription.objects.exists()
