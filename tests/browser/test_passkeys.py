"""Passkeys in a real browser, with an authenticator that Chromium pretends to have (WebAuthn in the DevTools protocol)."""

import os

import pytest

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in this thread; the database does not care
sync_api = pytest.importorskip("playwright.sync_api")
from allauth.mfa.models import Authenticator  # noqa: E402

from tests.web.desk.conftest import PASSWORD, make_admin  # noqa: E402

pytestmark = pytest.mark.django_db(transaction=True)
#: Of a phone or computer, which asks for finger, face or PIN.
PHONE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
PHONE |= {"isUserVerified": True, "automaticPresenceSimulation": True}


@pytest.fixture
def page(chromium_path, live_server):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost"))
        opened = context.new_page()
        yield opened
        browser.close()


def test_a_passkey_signs_in_alone_as_second_factor_and_when_asked_again(page):
    make_admin("olga", "owner")
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    phone = devices.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})["authenticatorId"]
    page.goto("/desk/sign-in/?next=/desk/settings/passkeys/add/")
    page.fill("#login", "olga")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.fill("#name", "phone")
    page.click("button:has-text('Add the passkey')")
    page.wait_for_url("**/recovery-codes/")
    assert Authenticator.objects.get(type="webauthn").wrap().name == "phone"

    page.click("text=Sign out")
    page.wait_for_url("**/sign-in/**")
    page.click("text=Sign in with a passkey")
    page.wait_for_url("**/desk/")

    page.goto("/desk/confirm/?next=/desk/settings/colleagues/")  # nobody is sent here in the first half hour
    page.click("text=use a passkey")
    page.click("button:has-text('Use a passkey')")
    page.wait_for_url("**/colleagues/")

    page.click("text=Sign out")
    page.wait_for_url("**/sign-in/**")
    page.fill("#login", "olga")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    devices.send("WebAuthn.setUserVerified", {"authenticatorId": phone, "isUserVerified": False})
    page.click("text=Use a passkey")
    page.wait_for_selector("text=The browser returned no passkey")
    devices.send("WebAuthn.setUserVerified", {"authenticatorId": phone, "isUserVerified": True})
    page.click("text=Use a passkey")
    page.wait_for_url("**/desk/")
