"""The public pages in a real browser, with scripts switched off: every button, by pointer and by keyboard alone."""

import os
import re
from collections.abc import Iterator

import pytest

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in this thread; the database does not care
sync_api = pytest.importorskip("playwright.sync_api")

from django.urls import reverse  # noqa: E402

from newsletter import wiring  # noqa: E402
from newsletter.lib import clock  # noqa: E402
from newsletter.matching.topics import reader_feedback  # noqa: E402
from newsletter.models import Cadence, Match, Notice, Subscriber, Subscription, Topic, TopicRevision  # noqa: E402
from newsletter.worker import sign_ups  # noqa: E402
from tests import factories  # noqa: E402

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "canary7f3a@example.org"


@pytest.fixture(scope="module")
def chromium(chromium_path) -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, live_server) -> Iterator["sync_api.Page"]:
    """A page that fails the test when the browser complains, or when anything comes from elsewhere."""
    context = chromium.new_context(
        base_url=live_server.url, java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    complaints: list[str] = []
    # an answer of 4xx to the page itself is also told on the console: that is no complaint of the browser
    page.on("console", lambda message: complaints.append(message.text) if "status of 4" not in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith(live_server.url) else complaints.append(request.url)
    )
    # going on while the icon still loads is no failure of ours
    page.on("requestfailed", lambda one: None if "ABORTED" in (one.failure or "") else complaints.append(one.url))
    yield page
    context.close()
    assert not complaints


@pytest.fixture
def topics() -> list[Topic]:
    made = []
    for name, query in (("Huawei", "Huawei"), ("Uyghur", "Uyghur OR Uighur OR 维吾尔")):
        topic = Topic.objects.create(kind="curated", name=name, slug=name.lower(), created_at=clock.utcnow())
        revision = TopicRevision.objects.create(topic=topic, n=1, query=query, made_at=clock.utcnow())
        Topic.objects.filter(id=topic.id).update(revision_id=revision.id)
        made.append(topic)
    return made


def mailed(name: str, kind: str) -> str:
    """The link of the newest notice, as the mail holds it, when a worker has decided what was asked for."""
    sign_ups.decide()
    notice = Notice.objects.filter(kind=kind).latest("id")
    return reverse(name, args=[wiring.vault().token("notice", notice.id, bytes(notice.nonce))])


def live() -> int:
    return Subscription.objects.filter(ended_at=None).count()


def heading(page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def test_the_whole_life_of_a_subscription(page, topics):
    page.goto("/")
    page.get_by_role("checkbox", name="Huawei").check()
    page.get_by_role("checkbox", name="Uyghur").check()
    page.get_by_label("Your own keywords").fill("Kashgar")
    page.get_by_role("button", name="See what matches").click()
    assert "matches" in page.get_by_role("status").inner_text()
    assert page.get_by_role("checkbox", name="Huawei").is_checked()
    page.get_by_role("radio", name="Once a week").check()
    page.get_by_label("Day", exact=True).select_option("Friday")
    page.get_by_label("Time", exact=True).select_option("19:00")
    page.get_by_label("Your time zone").select_option("Europe/Berlin")
    page.get_by_role("radio", name="Show the headline").check()
    page.get_by_label("Your email address").fill(ADDRESS)
    page.get_by_role("button", name="Subscribe", exact=True).click()
    assert page.url.endswith("/expect") and "inbox" in heading(page)

    page.goto(mailed("confirm", "confirm"))
    assert Subscriber.objects.get().state == "pending" and live() == 0
    assert "Kashgar" in page.content() and live() == 0
    page.get_by_role("button", name="Confirm your subscription").click()
    assert heading(page) == "You are subscribed" and "19:00, your time" in page.content()
    assert "Huawei" in page.content() and "Kashgar" in page.content()
    assert live() == 3 and not Subscriber.objects.get().look.discreet

    page.get_by_role("main").get_by_role("link", name="your preferences").click()
    page.get_by_label("Your email address").fill(ADDRESS)
    page.get_by_role("button", name="Email me a link").click()
    assert page.url.endswith("/asked")

    page.goto(mailed("preferences", "manage"))
    page.get_by_role("button", name="Stop Huawei").click()
    assert live() == 2 and "Stopped." in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Undo: follow Huawei again").click()
    assert live() == 3
    page.get_by_label("How often: Uyghur", exact=True).select_option("As it happens")
    page.get_by_role("button", name="Save how often: Uyghur").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    assert Subscription.objects.get(topic__name="Uyghur").cadence == Cadence.IMMEDIATE
    page.get_by_label("Time", exact=True).select_option("21:00")
    page.get_by_role("button", name="Save", exact=True).click()
    assert Subscriber.objects.get().daily_rhythm.hour == 21
    page.get_by_label("Your own keywords").fill("Aksu")
    page.get_by_role("button", name="Add").click()
    assert live() == 4

    page.get_by_role("button", name="Stop all email").click()
    assert heading(page) == "You are unsubscribed" and live() == 0
    page.get_by_role("button", name="Undo").click()
    assert heading(page) == "You are subscribed again" and live() == 4


def test_one_link_ends_everything_and_takes_it_back(page, topics):
    page.goto("/")
    page.get_by_role("checkbox", name="Huawei").check()
    page.get_by_label("Your time zone").select_option("UTC")
    page.get_by_label("Your email address").fill(ADDRESS)
    page.get_by_role("button", name="Subscribe", exact=True).click()
    page.goto(mailed("confirm", "confirm"))
    page.get_by_role("button", name="Confirm your subscription").click()
    token = wiring.vault().token("unsubscribe", Subscriber.objects.get().id, bytes(8))
    for address in ("one_click", "unsubscribe"):
        page.goto(reverse(address, args=[token]))
        assert ADDRESS not in page.content() and "Huawei" not in page.content() and live() == 1
        page.get_by_role("button", name="Stop all email").click()
        assert live() == 0 and Subscriber.objects.get().state == "left"
        page.get_by_role("button", name="Undo").click()
        assert live() == 1 and Subscriber.objects.get().state == "active"


def objection_path(topic: Topic) -> str:
    topic.refresh_from_db()
    item = factories.item()
    factories.match(item, topic)
    return reverse("objection", args=[reader_feedback.objection_token(item.id, topic.id, wiring.vault())])


def test_a_reader_objects_with_one_press(page, topics):
    page.goto(objection_path(topics[0]))
    assert page.locator("dd").all_inner_texts() == ["Huawei builds a cable", "Huawei"]
    page.get_by_role("button", name="It is not about this topic").click()
    assert page.url.endswith("/objected") and heading(page) == "Thank you"
    page.reload()
    assert Match.objects.get().objections == 1


def test_dead_links_have_a_next_step(page, topics):
    page.goto("/confirm/" + "A" * 22)
    assert heading(page) == "This link does not work"
    page.get_by_label("Your email address").fill(ADDRESS)
    page.get_by_role("button", name="Email me a link").click()
    assert page.url.endswith("/asked")


def focused(page) -> str:
    """What has the focus, and that one sees it: an outline on it or on the card around it."""
    told = page.evaluate(
        """() => { const one = document.activeElement, card = one.closest('.card') || one;
        const seen = [one, card].map(e => getComputedStyle(e))
            .some(style => style.outlineStyle !== 'none' && style.outlineWidth !== '0px');
        const box = one.getBoundingClientRect();
        return [one.id || one.name || one.innerText, seen, box.right > 0, one.getAttribute('aria-hidden')] }"""
    )
    name, seen, inside, hidden = told
    assert seen, f"one does not see that {name!r} has the focus"
    assert inside and hidden is None, f"{name!r} cannot be seen"
    return str(name)


def tab_to(page, wanted: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if re.search(wanted, focused(page)):
            return
    raise AssertionError(f"{wanted} is not reached by Tab")


def test_by_keyboard_alone(page, topics):
    page.goto("/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    tab_to(page, "^address$")
    page.keyboard.type("nonsense")
    tab_to(page, "^topics$")
    page.keyboard.press("Space")
    tab_to(page, "^cadence$")
    page.keyboard.press("ArrowDown")
    tab_to(page, "^weekday$")
    page.keyboard.type("Fri")
    tab_to(page, "^hour$")
    page.keyboard.type("19")
    tab_to(page, "^Subscribe$")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    # the list of mistakes has the focus
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    assert page.title().startswith("Error: ")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert "time zone" in focused(page)
    page.keyboard.press("Enter")
    assert focused(page) == "zone", "a mistake in the list leads to its field"
    page.keyboard.press("ArrowDown")
    page.locator("#address").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type(ADDRESS)
    with page.expect_navigation(url="**/expect"):
        page.keyboard.press("Enter")  # the hidden button comes first: Enter subscribes

    page.goto(mailed("confirm", "confirm"))
    tab_to(page, "^Confirm your")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    row = Subscription.objects.get()
    assert (row.topic_id, row.cadence) == (topics[0].id, Cadence.WEEKLY)
    weekly = Subscriber.objects.get().weekly_rhythm
    assert (weekly.weekday, weekly.hour) == (4, 19)


@pytest.mark.parametrize("width", [320, 360, 1024])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_and_what_is_pressed_is_large_enough(chromium, live_server, topics, width, scheme):
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 740},
        color_scheme=scheme,
        java_script_enabled=False,
    )
    page = context.new_page()
    objection = objection_path(topics[0])
    for path in (
        "/",
        "/expect",
        "/preferences",
        "/asked",
        "/privacy",
        "/nothing",
        "/confirm/x",
        objection,
        "/objected",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('button, select, textarea, input:not([type=hidden])')]
            .filter(one => !one.closest('[aria-hidden]'))
            .map(one => [one.id || one.innerText, (one.closest('.card') || one).getBoundingClientRect().height])"""
        )
        assert all(height == 0 or height >= 44 for _, height in sizes), sizes
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper))) < 200) == (scheme == "dark"), "the stylesheet came"
    context.close()
