"""Row 6: only a link of one's own mail stops it; and who holds a forwarded mail brings nobody back who left."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from newsletter import wiring
from newsletter.models import Notice, Subscriber, Subscription
from newsletter.worker import run_once, sign_ups, startup, tasks
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.web.conftest import ANNA, notice_token, press, signing_up

pytestmark = pytest.mark.django_db


def live():
    return Subscription.objects.filter(ended_at=None).count()


def undo_of(page):
    found = re.search(r'action="(/undo/[^"]+)"', page.content.decode())
    return found and found[1]


def test_only_the_token_of_a_person_stops_their_mail(browser, anna):
    for token in ("A" * 22, wiring.vault().token("unsubscribe", anna.id + 1), wiring.vault().token("ask", anna.id)):
        assert browser.post(reverse("one_click", args=[token])).status_code == 404
    assert live() == 3


def test_a_mail_that_says_it_is_from_somebody_changes_nothing(anna, settings, tmp_path):
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    spoofed = f"From: {ANNA.value}\r\nTo: newsletter@example.org\r\nSubject: unsubscribe\r\n\r\nunsubscribe\r\n"
    (tmp_path / "new" / "1").write_bytes(spoofed.encode())
    with road.configured(settings, bounce_maildir=tmp_path):
        startup.prepare()
        tasks.run("hear")
    assert live() == 3 and Subscriber.objects.get().state == "active"


def test_stopping_again_who_has_left_offers_no_undo(browser, anna, lasting):
    """Stop again, undo link, undo: so a stranger with a forwarded mail once brought somebody back."""
    path = reverse("unsubscribe", args=[lasting("unsubscribe")])
    own = undo_of(press(browser, path))
    assert own and live() == 0
    again = press(browser, path)
    assert again.status_code == 200 and undo_of(again) is None and b"You had unsubscribed before" in again.content
    assert press(browser, own).status_code == 200 and live() == 3


def test_an_act_of_stopping_that_a_stranger_kept_does_not_outlive_the_owners(browser, anna, lasting):
    path = reverse("unsubscribe", args=[lasting("unsubscribe")])
    strangers = undo_of(press(browser, path))
    press(browser, strangers)
    press(browser, path)
    assert browser.get(strangers).status_code == 404
    assert live() == 0 and Subscriber.objects.get().state == "left"


def test_who_is_brought_back_is_told_by_mail_and_can_stop_it_there(browser, anna, lasting, settings):
    with SmtpCatcher() as smtp, road.configured(settings, mail=smtp.url):
        startup.prepare()
        press(browser, undo_of(press(browser, reverse("unsubscribe", args=[lasting("unsubscribe")]))))
        run_once.deliver(wait=timedelta(0))
        (mail,) = smtp.messages
        resumed = f"Your subscription to {wiring.config().organisation} has resumed"
        assert (mail.recipient, str(mail.message["Subject"])) == (ANNA.value, resumed)
        assert not any(word in mail.text for word in ("Huawei", "Uyghur", "Zzyzx"))
        token = mail.text.partition("/unsubscribe/")[2].split()[0]
        assert token == lasting("unsubscribe") and Notice.objects.get().kind == "resumed"
        press(browser, reverse("unsubscribe", args=[token]))
        assert live() == 0


def test_an_open_question_in_a_forwarded_mail_dies_with_leaving(browser, anna, topics, lasting):
    browser.post("/", signing_up(topics))
    press(browser, "/", **signing_up(topics, address=ANNA.value))
    sign_ups.decide()
    path = reverse("confirm", args=[notice_token(Notice.objects.get(kind="add"))])
    assert browser.get(path).status_code == 200
    press(browser, reverse("unsubscribe", args=[lasting("unsubscribe")]))
    assert browser.get(path).status_code == 410 and live() == 0
