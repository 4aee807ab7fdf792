"""Row 15: a mail loads nothing: who wrote a feed does not learn who reads it, when and where."""

import re

import pytest

from tests.security import hostile_feed
from tests.security.hostile_feed import EVIL, MARKUP, Elements

pytestmark = pytest.mark.django_db(transaction=True)

_LOADS = {
    "src",
    "srcset",
    "poster",
    "background",
    "data",
    "action",
    "formaction",
    "cite",
    "longdesc",
    "ping",
    "imagesrcset",
}


def test_no_beacon_of_a_feed_is_in_a_mail(settings, httpserver) -> None:
    beacons = [one for one in MARKUP if EVIL in one and "href='https" not in one and "login" not in one]
    posts = [hostile_feed.post(f"Uyghur {n}", "".join(beacons[n::9])) for n in range(9)]
    with hostile_feed.mailed(settings, httpserver, hostile_feed.feed(*posts)) as mails:
        (mail,) = mails
    page = Elements(mail.html)
    assert len(beacons) > 40 and not page.attributes & _LOADS
    assert not re.search(r"url\(|@import|<link|<img", mail.html)
    assert EVIL not in mail.html and EVIL not in mail.text
