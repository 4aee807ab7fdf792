"""Threat 33: get past a second factor, with a code or a passkey that was overheard, guessed, or made for another site."""

import html
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.urls import reverse

from newsletter import wiring
from newsletter.lib.crypto import KeysDoNotFit, Vault, new_keys, parse_keys
from newsletter.web.desk.accounts.second_factor_adapter import SecondFactorAdapter
from tests.security.software_passkey import SoftwarePasskey
from tests.web.desk.conftest import PASSWORD, make_admin, signed_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 3, 12, 0, 10, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOCALHOST = {"host": "localhost"}


@pytest.fixture
def olga():
    return make_admin("olga", "owner")


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as moved:
        yield moved


@pytest.fixture
def app(olga):
    """The secret in her app."""
    totp.TOTP.activate(olga, SECRET)


def code(*, steps: int = 0) -> str:
    """What the app shows, so many steps of 30 seconds from now."""
    moment = int((datetime.now(UTC) + timedelta(seconds=30 * steps)).timestamp())
    return totp.format_hotp_value(totp.hotp_value(SECRET, moment // 30))


def with_password(address: str = "203.0.113.5") -> Client:
    client = Client(REMOTE_ADDR=address)
    answer = client.post("/desk/sign-in/", {"login": "olga", "password": PASSWORD})
    assert answer.status_code == 302 and answer.url == "/desk/sign-in/code/"
    return client


def tells(client: Client, digits: str) -> bool:
    """Whether the code signs in."""
    return client.post("/desk/sign-in/code/", {"code": digits}).status_code == 302


def test_the_password_alone_opens_nothing(app):
    client = with_password()
    for address in ("/desk/", "/desk/settings/", "/desk/settings/colleagues/", "/desk/confirm/"):
        assert client.get(address).status_code == 302
    assert Client().get("/desk/sign-in/code/").url == "/desk/sign-in/"


def test_a_code_works_once(app, clock):
    overheard = code()
    assert tells(with_password(), overheard)
    assert not tells(with_password(), overheard)
    clock.shift(timedelta(seconds=30))
    assert not tells(with_password(), overheard), "nor in the next step, in which it would still be accepted"
    assert tells(with_password(), code())


@pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_wrong_by_one_step(app, clock, steps, works):
    assert tells(with_password(), code(steps=steps)) is works


def test_codes_cannot_be_guessed(app, clock):
    client = with_password()
    for number in range(5):
        assert not tells(client, f"{number:06}")
    assert not tells(client, code()), "five wrong ones, and nothing is looked at"
    assert not tells(with_password("198.51.100.9"), code()), "from wherever: who tries has the password"
    clock.shift(timedelta(minutes=16))
    assert tells(with_password(), code())


def test_what_is_stored_is_encrypted(olga):
    totp.TOTP.activate(olga, SECRET)
    stored = Authenticator.objects.get().data["secret"]
    assert SECRET not in stored and totp.decrypt(stored) == SECRET
    adapter = SecondFactorAdapter()
    assert adapter.encrypt(SECRET) != adapter.encrypt(SECRET)
    secret, keys = new_keys()
    others = Vault(secret.encode(), *parse_keys(keys))
    with pytest.raises(KeysDoNotFit):
        key_id, _, ciphertext = stored.partition(".")
        others.decrypt(int(key_id), ciphertext.encode(), handle=b"second factor", column="secret")
    assert wiring.vault().active_key == int(key_id)


def test_nor_does_the_session_hold_a_secret_that_waits_for_its_first_code(olga):
    client = signed_in(olga)
    secret = re.search(r'class="secret">(\w+)<', client.get(reverse("mfa_activate_totp")).content.decode())[1]
    assert "mfa.totp.secret" in client.session and secret not in str(dict(client.session))
    wrong = client.post(reverse("mfa_activate_totp"), {"code": "000000"}).content.decode()
    assert secret in wrong, "the same one, for those who mistyped"
    now = totp.format_hotp_value(totp.hotp_value(secret, int(datetime.now(UTC).timestamp()) // 30))
    assert client.post(reverse("mfa_activate_totp"), {"code": now}).status_code == 302
    assert "mfa.totp.secret" not in client.session


def options(page) -> dict:
    return json.loads(html.unescape(re.search(r'data-options="([^"]+)"', page.content.decode())[1]))


@pytest.fixture
def passkey(olga) -> SoftwarePasskey:
    client = signed_in(olga)
    made = SoftwarePasskey()
    page = client.get(reverse("mfa_add_webauthn"), headers=LOCALHOST)
    fields = {"name": "phone", "passwordless": "on", "credential": made.create(options(page))}
    answer = client.post(reverse("mfa_add_webauthn"), fields, headers=LOCALHOST)
    assert answer.status_code == 302, answer.content
    return made


def asked(client: Client) -> dict:
    address = reverse("mfa_login_webauthn")
    return client.get(address, headers=LOCALHOST | {"accept": "application/json"}).json()["request_options"]


def passes(client: Client, credential: str) -> bool:
    answer = client.post(reverse("mfa_login_webauthn"), {"credential": credential}, headers=LOCALHOST)
    return answer.url == "/desk/"


def test_a_passkey_signs_in_once_for_each_challenge(passkey):
    client = Client()
    overheard = passkey.get(asked(client))
    assert passes(client, overheard)
    assert not passes(Client(), overheard), "without a challenge"
    another = Client()
    asked(another)
    assert not passes(another, overheard), "with another challenge"


def test_a_passkey_of_another_site_is_refused(passkey):
    client = Client()
    passkey.origin = "https://localhost.evil.example"
    assert not passes(client, passkey.get(asked(client)))
    passkey.origin = "http://localhost"
    assert not passes(client, passkey.get(asked(client), rp_id="evil.example"))
    assert passes(client, passkey.get(asked(client)))


def test_a_passkey_needs_a_finger_or_a_pin(passkey):
    client = Client()
    request = asked(client)
    assert request["publicKey"]["userVerification"] == "required"
    assert not passes(client, passkey.get(request, verified=False))


def test_an_unknown_passkey_and_that_of_a_disabled_admin_are_refused(passkey, olga):
    client, stranger = Client(), SoftwarePasskey()
    stranger._user = passkey._user
    assert not passes(client, stranger.get(asked(client)))
    olga.is_active = False
    olga.save()
    assert not passes(client, passkey.get(asked(client)))
    assert client.get("/desk/").status_code == 302


def test_what_changes_a_second_factor_asks_again(olga, app):
    client = signed_in(olga, recent=False)
    for name in ("mfa_deactivate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"):
        assert client.get(reverse(name)).url.startswith("/desk/confirm/")
        assert "Nothing has been done yet" in client.post(reverse(name)).content.decode()
    assert Authenticator.objects.count() == 1
