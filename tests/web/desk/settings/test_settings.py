"""Settings: one's own, colleagues, installation."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.admins import links, tokens
from newsletter.audit import actor
from newsletter.lib import clock
from newsletter.models import Admin, AuditEntry
from tests.web.desk.conftest import make_admin, signed_in

pytestmark = pytest.mark.django_db
COLLEAGUES = "/desk/settings/colleagues/"


def test_the_zone(as_editor, editor):
    assert as_editor.post(reverse("desk_settings_zone"), {"time_zone": "Nowhere/City"}).status_code == 200
    as_editor.post(reverse("desk_settings_zone"), {"time_zone": "Asia/Almaty"})
    page = as_editor.get("/desk/settings/").content.decode()
    assert "Times are now shown in Asia/Almaty" in page and '<option value="Asia/Almaty" selected>' in page
    assert Admin.objects.get().time_zone == "Asia/Almaty"


def test_sessions_are_listed_and_end(as_editor, editor):
    first, second = signed_in(editor), signed_in(editor)
    page = as_editor.get("/desk/settings/").content.decode()
    assert page.count("signed in <time") == 3 and page.count("this browser") == 1
    ends = re.findall(r"/desk/settings/sessions/\d+/end/", page)
    assert len(ends) == 2
    as_editor.post(ends[0])
    assert sorted(one.get("/desk/").status_code for one in (first, second)) == [200, 302]
    as_editor.post(reverse("desk_settings_sessions_end"))
    assert {one.get("/desk/").status_code for one in (first, second)} == {302}
    assert as_editor.get("/desk/").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(as_editor, as_owner):
    page = as_owner.get("/desk/settings/").content.decode()
    own = signed_in(make_admin("x", "owner")).get("/desk/settings/").content.decode()
    assert "/end/" not in page.replace("/desk/settings/sessions/end/", "") and own
    from allauth.usersessions.models import UserSession

    theirs = UserSession.objects.get(user__username="olga").id
    assert as_editor.post(f"/desk/settings/sessions/{theirs}/end/").status_code == 404
    assert as_owner.get("/desk/").status_code == 200


def test_an_invitation_shows_its_link_once(as_owner):
    page = as_owner.post(COLLEAGUES, {"name": "jonas", "role": "editor", "may_send": "on"}).content.decode()
    token = re.search(r"/desk/welcome/([\w-]{22})", page)[1]
    assert links.find(token, now=clock.utcnow()).username == "jonas"
    page = as_owner.get(COLLEAGUES).content.decode()
    assert token not in page and "no password yet" in page and "may send messages" in page
    page = as_owner.post(COLLEAGUES, {"name": "j@example.org", "role": "editor"}).content.decode()
    assert "it is not an address" in page and 'value="j@example.org"' in page
    assert AuditEntry.objects.get().actor == "olga"


def test_rights_and_the_end(as_owner, editor):
    as_editor = signed_in(editor)
    for what, data, said in (
        ("may-send", {"may_send": "1"}, "ed may send messages"),
        ("may-send", {"may_send": "0"}, "ed may no longer send messages"),
        ("role", {"role": "owner"}, "ed is an owner"),
        ("role", {"role": "editor"}, "ed is an editor"),
        ("role", {"role": "god"}, "Choose a role"),
        ("disable", {}, "ed is signed out and cannot sign in"),
        ("enable", {}, "ed can sign in again"),
    ):
        answer = as_owner.post(f"{COLLEAGUES}ed/{what}/", data)
        assert answer.status_code == 303 and said in as_owner.get(answer.url).content.decode()
    assert as_editor.get("/desk/").status_code == 302
    assert "last owner" in as_owner.get(as_owner.post(f"{COLLEAGUES}olga/disable/").url).content.decode()
    assert "/desk/welcome/" in as_owner.post(f"{COLLEAGUES}ed/reset/").content.decode()


def test_who_is_disabled_may_know_tokens_that_still_work(as_owner, owner):
    other = make_admin("mei", "owner")
    now, by = clock.utcnow(), actor.from_admin(other)
    assert isinstance(tokens.create("export", ["people"], actor=by, now=now), tokens.NewToken)
    answer = as_owner.post(f"{COLLEAGUES}mei/disable/", follow=True).content.decode()
    assert "Tokens that they made still work: export" in answer


def test_an_editor_changes_no_colleague(as_editor, owner):
    for address in (COLLEAGUES, f"{COLLEAGUES}olga/disable/", f"{COLLEAGUES}ed/role/", "/desk/settings/installation/"):
        assert as_editor.get(address).status_code == 403
        assert as_editor.post(address, {"role": "owner"}).status_code == 403
    assert "colleagues" not in as_editor.get("/desk/settings/").content.decode()


def test_many_colleagues_cost_no_more(as_owner):
    with CaptureQueriesContext(connection) as alone:
        as_owner.get(COLLEAGUES)
    for number in range(20):
        make_admin(f"x{number}", "editor")
    with CaptureQueriesContext(connection) as many:
        assert as_owner.get(COLLEAGUES).content.decode().count("Make owner") == 20
    assert len(many) <= len(alone)


def test_the_installation_shows_no_secret(as_owner, settings):
    page = as_owner.get("/desk/settings/installation/").content.decode()
    row = re.search(r"NEWSLETTER_DATA_DIR</code>.*?</tr>", page, re.S)[0]
    assert "environment" in row and settings.NEWSLETTER.data_dir.name in row
    keys = re.search(r"NEWSLETTER_ADDRESS_KEYS</code>.*?</tr>", page, re.S)[0]
    assert "<bdi>set</bdi>" in keys and "file" in keys
    assert settings.SECRET_KEY not in page
