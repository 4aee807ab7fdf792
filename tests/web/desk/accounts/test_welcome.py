"""The page behind a one-time link."""

import pytest
from django.test import Client

from newsletter.admins import accounts
from newsletter.audit import actor
from newsletter.lib import clock
from newsletter.models import Admin

pytestmark = pytest.mark.django_db
PASSWORD = "four words nobody guesses"


@pytest.fixture
def address():
    link = accounts.create("maria", role="owner", actor=actor.from_rule("test"), now=clock.utcnow())
    return f"/desk/welcome/{link.token}"


def test_a_link_sets_the_password_and_signs_in(client, address):
    page = client.get(address)
    assert page.status_code == 200 and "<bdi>maria</bdi>" in page.content.decode()
    answer = client.post(address, {"password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 302 and answer.url == "/desk/"
    assert "Signed in as" in client.get("/desk/").content.decode()
    assert Client().get(address).status_code == 404
    again = Client().post("/desk/sign-in/", {"login": "Maria", "password": PASSWORD})
    assert again.status_code == 302


def test_looking_changes_nothing(client, address):
    before = Admin.objects.values().get()
    for _ in range(3):
        client.get(address)
        client.head(address)
    assert client.options(address).status_code == 405
    assert Admin.objects.values().get() == before


@pytest.mark.parametrize(
    ("password", "again", "wrong"),
    [
        ("short", "short", "at least 12 characters"),
        ("password1234", "password1234", "too common"),
        (PASSWORD, PASSWORD + "x", "not the same"),
        ("", "", "Type a password"),
    ],
)
def test_what_is_wrong_is_said_and_the_link_stays(client, address, password, again, wrong):
    page = client.post(address, {"password": password, "again": again})
    assert page.status_code == 200 and wrong in page.content.decode()
    assert not Admin.objects.get().has_usable_password()
    assert client.get(address).status_code == 200


def test_a_colleagues_browser_changes_hands(as_editor, address):
    as_editor.post(address, {"password": PASSWORD, "again": PASSWORD})
    assert "<bdi>maria</bdi>" in as_editor.get("/desk/").content.decode()
