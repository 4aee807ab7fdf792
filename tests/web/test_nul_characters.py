"""NUL characters, which PostgreSQL takes in no text: refused before any view meets them."""

import pytest
from django.urls import reverse

from newsletter.web.typed_number import MOST, typed_number
from tests.web.desk.conftest import as_owner, make_admin, owner

pytestmark = pytest.mark.django_db
__all__ = ["as_owner", "owner"]


def test_an_address_or_a_form_with_one_is_refused(as_owner):
    make_admin("ed", "editor")
    name = reverse("desk_settings_colleague_disable", args=["ed\x00"])
    assert as_owner.post(name).status_code == 400
    assert as_owner.get(reverse("desk_topics"), {"q": "a\x00"}).status_code == 400
    assert as_owner.get(reverse("desk_items"), {"a\x00": "b"}).status_code == 400
    assert (
        as_owner.post(reverse("desk_home_pause"), "reason=a%00", "application/x-www-form-urlencoded").status_code == 400
    )
    assert as_owner.post(reverse("desk_home_pause"), {"reason": "a\x00"}).status_code == 400, "multipart"
    assert as_owner.post(reverse("desk_feeds_import"), {"text": "a\x00"}).status_code == 422, "it reads its own form"
    assert as_owner.get(reverse("desk_topics"), {"q": "a"}).status_code == 200


@pytest.mark.parametrize("typed", ["", "-1", "²", "٣", "1.0", str(MOST + 1), "9" * 5_000])
def test_a_number_is_plain_digits_that_a_database_takes(typed):
    assert typed_number(typed) is None
    assert (typed_number("0"), typed_number(str(MOST))) == (0, MOST)


def test_a_cookie_may_hide_one_in_quotes(client, db):
    """Whoever is no admin can send one, and the session of that name would be looked up."""
    answer = client.get(reverse("desk_home"), headers={"Cookie": 'session="aaaaaaaaaaaa\\000bbbbbbbbbbbb"'})
    assert answer.status_code == 400
