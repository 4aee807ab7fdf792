"""Role × route, generated from the router: a new route is tried as everybody."""

import pytest
from django.test import Client

from newsletter.models import Admin
from newsletter.web.desk.access import Access
from tests.web.desk.conftest import make_admin, signed_in
from tests.web.desk.routes import access, address, desk_routes
from tests.web.public.link_helpers import dump

pytestmark = pytest.mark.django_db

ROUTES = desk_routes()
ROLES = {
    "editor": {Access.ANYBODY, Access.EDITOR},
    "sender": {Access.ANYBODY, Access.EDITOR, Access.SENDER},
    "owner": {Access.ANYBODY, Access.EDITOR, Access.SENDER, Access.OWNER},
}
#: Tables in which a visit leaves its trace.
SESSIONS = {"django_session", "usersessions_usersession"}


def columns(role: str) -> dict[str, object]:
    return {"role": Admin.Role.OWNER if role == "owner" else Admin.Role.EDITOR, "may_send": role == "sender"}


@pytest.fixture
def admins(db) -> dict[str, Admin]:
    return {role: make_admin(role, **columns(role)) for role in ROLES}


def as_role(admins: dict[str, Admin], role: str) -> Client:
    """Signed in anew: the button before may have signed everybody out, or changed who may do what."""
    Admin.objects.filter(id=admins[role].id).update(is_active=True, **columns(role))
    return signed_in(Admin.objects.get(id=admins[role].id))


def test_every_route_has_a_name_of_its_own():
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names) and all(names)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_asked_to_sign_in(db, method):
    for route in ROUTES:
        if access(route) is Access.ANYBODY:
            continue
        answer = getattr(Client(), method)(address(route))
        assert answer.status_code == 302 and answer.url.startswith("/desk/sign-in/"), (route.name, answer.status_code)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("role", ROLES)
def test_a_route_is_open_to_whom_it_names_and_to_nobody_else(admins, role, method):
    for route in ROUTES:
        answer = getattr(as_role(admins, role), method)(address(route))
        assert answer.status_code < 500, (route.name, answer.status_code)
        refused = answer.status_code == 403 and b"Not for your role" in answer.content
        assert refused == (access(route) not in ROLES[role]), (route.name, answer.status_code)


def test_opening_a_page_changes_nothing(admins):
    """Browsers, scanners and previews open links of their own accord."""
    client = as_role(admins, "owner")
    before = _stored()
    for route in ROUTES:
        client.get(address(route))
    assert _stored() == before


def _stored() -> dict[str, list[str]]:
    return {table: rows for table, rows in dump().items() if table not in SESSIONS}
