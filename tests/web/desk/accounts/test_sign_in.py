"""Signing in, second factors, asking again, and what of django-allauth has an address."""

import json
import re
import time

import pytest
from allauth import urls as allauth_urls
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse

from newsletter.admins import accounts
from newsletter.audit import actor
from newsletter.lib import clock
from newsletter.models import Admin, AuditEntry
from tests.web.desk.conftest import PASSWORD, make_admin, signed_in

pytestmark = pytest.mark.django_db
#: Names of allauth's that are pages of ours. Whatever a new version adds stays out until it stands here.
ROUTED = {
    *("account_login", "account_logout", "account_reauthenticate", "account_change_password"),
    *("mfa_authenticate", "mfa_reauthenticate", "mfa_index", "mfa_activate_totp", "mfa_deactivate_totp"),
    *("mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn"),
    *("mfa_remove_webauthn", "mfa_login_webauthn", "mfa_reauthenticate_webauthn"),
}


def sign_in(client: Client, name: str = "olga", password: str = PASSWORD, **other):
    return client.post("/desk/sign-in/", {"login": name, "password": password, **other})


def code(at: float | None = None) -> str:
    """What the app of the only admin with one shows now."""
    secret = totp.decrypt(Authenticator.objects.get(type="totp").data["secret"])
    return totp.format_hotp_value(totp.hotp_value(secret, int(at or time.time()) // 30))


def add_app(client: Client) -> None:
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'class="secret">(\w+)<', page)[1]
    now = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    assert client.post(reverse("mfa_activate_totp"), {"code": now}).url == reverse("mfa_view_recovery_codes")


def names(patterns) -> set[str]:
    found = set()
    for pattern in patterns:
        found |= names(pattern.url_patterns) if isinstance(pattern, URLResolver) else {pattern.name}
    return found


def test_only_chosen_addresses_of_allauth_exist():
    theirs = names(allauth_urls.urlpatterns)
    assert "account_signup" in theirs and len(theirs) > 20
    assert names(get_resolver().url_patterns) & theirs == ROUTED
    for name in theirs - ROUTED:
        with pytest.raises(NoReverseMatch):
            reverse(name)


def test_there_and_back(client, owner):
    assert sign_in(client, "OLGA", next="/desk/settings/").url == "/desk/settings/"
    assert client.get("/desk/settings/").status_code == 200
    assert client.get("/desk/sign-in/").status_code == 302
    assert client.get("/desk/sign-out/").status_code == 200
    assert "_auth_user_id" in client.session
    assert client.post("/desk/sign-out/").url == "/desk/sign-in/"
    page = client.get("/desk/sign-in/")
    assert "You are signed out" in page.content.decode()
    assert client.get("/desk/").status_code == 302


def test_a_password_is_not_sent_back(client, owner):
    page = sign_in(client, password="canary7f3a").content.decode()
    assert 'value="olga"' in page and "canary7f3a" not in page


def test_nowhere_else(client, owner):
    assert sign_in(client, next="https://elsewhere.example/").url == "/desk/"


def test_an_app_and_recovery_codes(as_owner, owner, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        add_app(as_owner)
    codes = re.findall(r"<code>(\d{8})</code>", as_owner.get(reverse("mfa_view_recovery_codes")).content.decode())
    assert len(codes) == 10 and "viewed_at" not in str(Authenticator.objects.values("data"))
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert totp.decrypt(Authenticator.objects.get(type="totp").data["secret"]) not in stored
    assert sign_in(client).url == reverse("mfa_authenticate")
    assert client.get("/desk/").status_code == 302, "the password alone is not enough"
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "not the right one" in wrong.content.decode()
    assert client.post(reverse("mfa_authenticate"), {"code": codes[0]}).url == "/desk/"
    client.post("/desk/sign-out/")
    sign_in(client)
    assert client.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == 200, "used once"
    assert client.post(reverse("mfa_authenticate"), {"code": codes[1]}).url == "/desk/"
    actions = list(AuditEntry.objects.values_list("action", "actor"))
    assert actions == [("admin.app_added", "olga")]
    as_owner.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()


def test_who_signs_in_can_start_again(as_owner, client):
    add_app(as_owner)
    sign_in(client)
    assert client.get("/desk/sign-in/").url == reverse("mfa_authenticate")
    client.post("/desk/sign-out/")
    assert client.get("/desk/sign-in/").status_code == 200


def test_who_lost_the_phone_starts_again_after_a_reset(as_owner, owner, client):
    add_app(as_owner)
    sign_in(client)
    make_admin("amira", "owner")
    accounts.reset("olga", actor=actor.from_rule("test"), now=clock.utcnow())
    assert client.get("/desk/sign-in/").url == reverse("mfa_authenticate")
    assert client.get(reverse("mfa_authenticate")).url == "/desk/sign-in/"
    assert client.get("/desk/sign-in/").status_code == 200


def test_a_page_asks_again_and_comes_back(owner):
    client = signed_in(owner, recent=False)
    asked = client.get(reverse("desk_settings_colleagues"))
    assert asked.url == "/desk/confirm/?next=%2Fdesk%2Fsettings%2Fcolleagues%2F"
    assert "not your password" in client.post(asked.url, {"password": "x"}).content.decode()
    assert client.post(asked.url, {"password": PASSWORD}).url == "/desk/settings/colleagues/"
    assert client.get("/desk/settings/colleagues/").status_code == 200


def test_who_has_just_signed_in_is_not_asked_again(owner, client, monkeypatch):
    sign_in(client)
    colleagues = reverse("desk_settings_colleagues")
    assert client.get(colleagues).status_code == 200
    later = time.time() + 31 * 60
    monkeypatch.setattr("time.time", lambda: later)
    assert client.get(colleagues).url.startswith("/desk/confirm/")


_MISMATCH = json.dumps({"id": "YQ", "rawId": "Yg", "type": "public-key", "response": {"clientDataJSON": "e30"}})


@pytest.mark.parametrize("answered", ["", "x", "null", "[]", '{"id": "a"}', _MISMATCH, "[" * 3_000, '"' + "a" * 5_000])
def test_an_answer_for_a_passkey_may_be_anything(owner, answered):
    stranger, admin = Client(), signed_in(owner)
    for client, name in (
        (stranger, "mfa_login_webauthn"),
        (admin, "mfa_reauthenticate_webauthn"),
        (admin, "mfa_add_webauthn"),
    ):
        client.get(reverse(name), headers={"accept": "application/json", "host": "localhost"})
        answer = client.post(reverse(name), {"credential": answered, "name": "x"}, headers={"host": "localhost"})
        assert answer.status_code < 500 and not Authenticator.objects.exists()


def test_a_code_will_do_instead(owner, as_owner):
    add_app(as_owner)
    client = signed_in(owner, recent=False)
    page = client.get(client.get(reverse("desk_settings_colleagues")).url).content.decode()
    address = re.search(r'href="([^"]+)">use a code', page)[1]
    assert client.get(address).status_code == 200
    assert client.post(address, {"code": code()}).url == "/desk/settings/colleagues/"


def test_a_button_asks_again_and_what_was_typed_is_stored_nowhere(owner):
    client = signed_in(owner, recent=False)
    typed = {"name": "canary", "role": "editor", "note": 'canary7f3a@example.org "<b>'}
    page = client.post(reverse("desk_settings_colleagues"), typed)
    html = page.content.decode()
    assert page.status_code == 200 and "Nothing has been done yet" in html
    assert 'value="canary7f3a@example.org &#34;&lt;b&gt;"' in html
    assert "canary" not in str(dict(client.session)) and Admin.objects.count() == 1
    again = client.post(reverse("desk_settings_colleagues"), typed | {"confirm_password": "x"})
    assert "not your password" in again.content.decode() and Admin.objects.count() == 1
    done = client.post(reverse("desk_settings_colleagues"), typed | {"confirm_password": PASSWORD})
    assert "/desk/welcome/" in done.content.decode()
    assert Admin.objects.filter(username="canary").exists()
    assert client.get(reverse("desk_settings_colleagues")).status_code == 200, "free for 30 minutes"


def test_a_new_password(as_owner, owner):
    other = signed_in(owner)
    fields = {"oldpassword": PASSWORD, "password1": "four other words here", "password2": "four other words here"}
    assert as_owner.post(reverse("account_change_password"), fields | {"oldpassword": "x"}).status_code == 200
    assert as_owner.post(reverse("account_change_password"), fields).url == "/desk/settings/"
    page = as_owner.get("/desk/settings/").content.decode()
    assert "Your password is changed" in page and page.count("signed in <time") == 1
    assert other.get("/desk/").status_code == 302
    assert AuditEntry.objects.get().action == "admin.password"


ZONE = {"time_zone": "Asia/Almaty", "more": ['a "quoted" <b>', "second"]}


def test_a_form_survives_the_end_of_its_session(client, owner):
    page = client.post(reverse("desk_settings_zone"), ZONE)
    html = page.content.decode()
    assert page.status_code == 403 and "What you typed is kept" in html
    assert html.count('type="hidden" name="more"') == 2 and "a &#34;quoted&#34; &lt;b&gt;" in html
    who = {"sign_in_name": "olga", "sign_in_password": "wrong"}
    assert "do not belong together" in client.post(reverse("desk_settings_zone"), ZONE | who).content.decode()
    assert Admin.objects.get().time_zone == "UTC" and "_auth_user_id" not in client.session
    done = client.post(reverse("desk_settings_zone"), ZONE | who | {"sign_in_password": PASSWORD})
    assert done.status_code == 303 and Admin.objects.get().time_zone == "Asia/Almaty"
    assert client.get("/desk/settings/").content.decode().count("signed in <time") == 1


def test_with_a_second_factor_it_needs_a_code(client, as_owner):
    add_app(as_owner)
    form = ZONE | {"sign_in_name": "olga", "sign_in_password": PASSWORD}
    assert "type a code of your app" in client.post(reverse("desk_settings_zone"), form).content.decode()
    wrong = client.post(reverse("desk_settings_zone"), form | {"sign_in_code": "000000"})
    assert "not the right one" in wrong.content.decode() and client.get("/desk/").status_code == 302
    assert client.post(reverse("desk_settings_zone"), form | {"sign_in_code": code()}).status_code == 303


def test_it_is_limited_as_the_page_for_signing_in_is(client, owner):
    form = ZONE | {"sign_in_name": "olga", "sign_in_password": "wrong"}
    for _ in range(5):
        client.post(reverse("desk_settings_zone"), form)
    page = client.post(reverse("desk_settings_zone"), form | {"sign_in_password": PASSWORD})
    assert "Too many failed attempts" in page.content.decode()
    for _ in range(14):
        assert client.post(reverse("desk_settings_zone"), form).status_code == 403
    assert client.post(reverse("desk_settings_zone"), form).status_code == 429


def test_an_empty_form_of_a_stranger_leads_to_the_page_for_signing_in(client, db):
    answer = client.post(reverse("desk_settings_sessions_end"))
    assert answer.status_code == 302 and answer.url.endswith("?next=/desk/")


def test_a_form_from_before_another_sign_in_is_sent_again(owner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    ours = {"headers": {"origin": "http://testserver"}}
    html = client.post(reverse("desk_settings_zone"), ZONE | {"csrfmiddlewaretoken": "x" * 64}, **ours).content.decode()
    assert "Press the button again" in html and "a &#34;quoted&#34; &lt;b&gt;" in html
    assert Admin.objects.get().time_zone == "UTC"
    word = re.search(r'csrfmiddlewaretoken" value="(\w+)"', html)[1]
    assert client.post(reverse("desk_settings_zone"), ZONE | {"csrfmiddlewaretoken": word}, **ours).status_code == 303
    for elsewhere in ({}, {"headers": {"origin": "https://evil.example"}}):
        page = client.post(reverse("desk_settings_zone"), ZONE, **elsewhere)
        assert page.status_code == 403 and "quoted" not in page.content.decode()


def test_a_disabled_admin_is_out_at_once(as_editor, editor):
    assert as_editor.get("/desk/").status_code == 200
    Admin.objects.update(is_active=False)
    assert as_editor.get("/desk/").status_code == 302


def test_pages_of_passkeys(as_owner):
    at_localhost = {"headers": {"host": "localhost"}}
    page = as_owner.get(reverse("mfa_add_webauthn"), **at_localhost).content.decode()
    assert "data-options=" in page and "passkeys.js" in page
    assert (
        "only on pages with a name"
        in as_owner.get(reverse("mfa_add_webauthn"), headers={"host": "127.0.0.1:8000"}).content.decode()
    )
    asked = Client().get(reverse("mfa_login_webauthn"), headers={"host": "localhost", "accept": "application/json"})
    assert asked.json()["request_options"]["publicKey"]["userVerification"] == "required"
    assert make_admin("x", "editor")
