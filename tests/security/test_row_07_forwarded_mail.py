"""Row 7: who reads a forwarded mail sees neither the address, nor what is followed, nor how."""

import pytest
from django.urls import reverse

from newsletter.models import Notice
from newsletter.worker import sign_ups
from tests.web.conftest import ANNA, WORD, notice_token, press

pytestmark = pytest.mark.django_db
SECRETS = (ANNA.value, "canary", WORD, "Huawei", "Uyghur", "Europe/Berlin", "07:00")


def test_no_lasting_link_shows_anything_of_its_owner(browser, anna, lasting):
    for name in ("unsubscribe", "ask"):
        path = reverse(name, args=[lasting(name)])
        for page in (browser.get(path), press(browser, path)):
            assert not any(secret in page.content.decode() for secret in SECRETS)


def test_preferences_open_only_by_a_link_mailed_to_the_same_mailbox(browser, anna, lasting):
    token = lasting("ask")
    assert browser.get(reverse("preferences", args=[token])).status_code == 404
    press(browser, reverse("ask", args=[token]))
    sign_ups.decide()
    notice = Notice.objects.get()
    assert notice.subscriber_id == anna.id
    page = browser.get(reverse("preferences", args=[notice_token(notice)]))
    assert page.status_code == 200 and WORD in page.content.decode()
