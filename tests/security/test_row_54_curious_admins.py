"""Threat 54: an admin, curious or made to, looks up who follows what.

Role × route for every method: `tests/web/desk/test_routes.py`. The canary on every page: `tests/web/desk/test_canary.py`.
"""

from newsletter.models import Admin, Subscriber
from newsletter.web.desk.access import Access
from newsletter.web.desk.frame import SECTIONS
from tests import factories
from tests.web.desk import installation
from tests.web.desk.conftest import make_admin, signed_in
from tests.web.desk.routes import access, address, desk_routes

#: Sections that are about people, how mail reaches them, colleagues and keys, by how the names of their routes begin.
OWNERS = ("desk_people", "desk_sending", "desk_settings_colleague", "desk_settings_installation", "desk_settings_token")


def test_what_is_about_people_is_for_owners():
    for route in desk_routes():
        if route.name.startswith(OWNERS):
            assert access(route) is Access.OWNER, route.name
    for section in SECTIONS:
        assert section.owners_only == section.url.startswith(OWNERS), section.url


def test_whoever_changes_colleagues_is_asked_for_the_password_again():
    for route in desk_routes():
        if route.name.startswith(("desk_settings_colleague", "desk_settings_token")):
            assert route.callback.recent, route.name


def test_no_page_of_an_editor_holds_an_address(db):
    factories.open_gate()
    topics = [factories.topic(word, query=word) for word in ("Huawei", "Uyghur")]
    for number in range(12):
        factories.follow(factories.subscriber(), topics[number % 2])
    installation.fill(items=10, words=("Huawei", "Uyghur"))
    client = signed_in(make_admin("ed", Admin.Role.EDITOR, may_send=True))
    opened = 0
    for route in desk_routes():
        page = client.get(address(route))
        if page.status_code == 200 and page.headers["Content-Type"].startswith("text/html"):
            opened += 1
            assert "@" not in page.content.decode(), route.name
    assert opened > 5 and Subscriber.objects.count() == 12
