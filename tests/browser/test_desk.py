"""Every page of the desk in a real browser, in both roles: on a phone, without help of the mouse, with a strict policy."""

import os
from collections.abc import Iterator

import pytest

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in this thread; the database does not care
sync_api = pytest.importorskip("playwright.sync_api")
from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import reverse  # noqa: E402

from newsletter import wiring  # noqa: E402
from newsletter.delivery.gates import sending_gate  # noqa: E402
from newsletter.lib import db  # noqa: E402
from newsletter.lib.mail.references import reference  # noqa: E402
from newsletter.models import Admin, Delivery, Edition, Feed, Item, Message, Occasion, Topic  # noqa: E402
from newsletter.web.desk.access import Access  # noqa: E402
from newsletter.worker import startup  # noqa: E402
from tests import factories  # noqa: E402
from tests.web.desk import installation  # noqa: E402
from tests.web.desk.conftest import make_admin, signed_in  # noqa: E402
from tests.web.desk.routes import access, address, desk_routes  # noqa: E402

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = ("Huawei", "Uyghur")
#: WCAG 2.2, levels A and AA (https://www.w3.org/TR/WCAG22/).
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


@pytest.fixture
def known(db) -> dict[str, object]:
    """An installation with something of everything, and the newest row of each kind that an address can name."""
    factories.open_gate()
    topics = [factories.topic(word, query=word) for word in WORDS]
    for number in range(24):
        factories.follow(factories.subscriber(), topics[number % 2])
    installation.fill(items=40, words=WORDS)
    newest = {
        "feed_id": Feed,
        "topic_id": Topic,
        "item_id": Item,
        "occasion_id": Occasion,
        "edition_id": Edition,
        "message_id": Message,
    }
    return {name: model.objects.latest("id").id for name, model in newest.items()} | {
        "reference": reference(Delivery.objects.latest("id").id, wiring.vault())
    }


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def open_as(chromium_path, live_server, complaints) -> Iterator[object]:
    """Opens pages as an admin, on a phone; what the browser complains of is collected."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])

        def opened(admin: Admin) -> "sync_api.Page":
            context = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
            cookie = signed_in(admin).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
            page = context.new_page()
            page.on("console", lambda message: _note(message.text, page.url, complaints))
            page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
            return page

        yield opened
        browser.close()


def _note(text: str, url: str, complaints: list[str]) -> None:
    if "status of 4" not in text:  # an answer of 4xx to the page itself is no complaint of the browser
        complaints.append(f"{url}: {text}")


def pages_of(admin: Admin, known: dict[str, object]) -> Iterator[tuple[str, str]]:
    """(name of the route, path) of each page that this admin can open; no downloads, no frames, no addresses of forms."""
    client = signed_in(admin)
    for route in desk_routes():
        path = address(route, **known)
        answer = client.get(path) if access(route) is not Access.ANYBODY else None
        if answer is not None and answer.status_code == 200 and "<main" in answer.content.decode(errors="ignore"):
            yield route.name, path


@pytest.mark.parametrize("role", [Admin.Role.EDITOR, Admin.Role.OWNER])
def test_every_page_works_on_a_phone_and_for_those_who_do_not_see_it(open_as, known, complaints, role):
    admin = make_admin("somebody", role)
    page, axe = open_as(admin), Axe()
    for name, path in pages_of(admin, known):
        page.goto(path)
        # an editor's pages are an owner's with something left out
        found = axe.run(page, options=RULES).response["violations"] if admin.is_owner else []
        complaints += [f"{name}: {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"][:3]]
        wide = page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        complaints += [f"{name}: {wide} px too wide for a phone"] if wide > 0 else []
    assert not complaints, "\n".join(complaints)


def test_numbers_refresh_by_themselves_and_leave_what_is_typed(open_as, complaints):
    """The script asks for the page again every three seconds, and replaces neither the focus nor an open part."""
    startup.prepare()
    page = open_as(make_admin("somebody", Admin.Role.OWNER))
    page.clock.install()
    page.goto(reverse("desk_home"))
    page.focus("#go-to")
    page.keyboard.type("Hua")
    sending_gate.pause("olga", now=db.now(), actor=factories.ACTOR)
    page.clock.run_for(4_000)
    page.wait_for_selector("#problems >> text=Sending is paused by olga.")
    assert page.evaluate("[document.activeElement.id, document.activeElement.value]") == ["go-to", "Hua"]
    page.focus("#sending-state a")
    sending_gate.resume(now=db.now(), actor=factories.ACTOR)
    page.clock.run_for(4_000)
    page.wait_for_selector("#problems:not(:has-text('olga'))")
    assert "paused" in page.inner_text("#sending-state"), "what holds the focus is not replaced"
    assert not complaints, "\n".join(complaints)
