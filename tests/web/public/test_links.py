"""Every link that a mail holds: looking changes nothing, each does one thing, and only for whom it was made."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from newsletter import wiring
from newsletter.lib import clock, urls
from newsletter.lib.progress import never_stop
from newsletter.matching.topics import reader_feedback
from newsletter.models import Match, Notice, Subscriber, Subscription, Topic
from newsletter.subscribers import prune_people
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.sign_up import sign_up
from newsletter.subscribers.tokens import undo_token
from tests import factories
from tests.web.conftest import ANNA, WORD, notice_token, press
from tests.web.public.link_helpers import dump, objection_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def every_link(topics, anna, manage, lasting):
    sign_up(
        type(ANNA)("bob@example.org"),
        Choices((1,)),
        wiring.subscribing(clock.utcnow()),
    )
    confirm = notice_token(Notice.objects.get(kind="confirm"))
    tokens = {
        "confirm": confirm,
        "preferences": manage,
        "ask": lasting("ask"),
        "unsubscribe": lasting("unsubscribe"),
        "one_click": lasting("unsubscribe"),
        "objection": objection_token(topics[0]),
        "undo": undo_token(anna.id, clock.utcnow() - timedelta(minutes=1), wiring.vault()),
    }
    assert set(urls.PATHS) <= set(tokens)
    return {name: reverse(name, args=[token]) for name, token in tokens.items()}


def test_paths_are_those_that_mails_hold(every_link):
    for name, path in every_link.items():
        if name in urls.PATHS:
            assert urls.path(name, path.rpartition("/")[2]) == path


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(client, every_link, method):
    before = dump()
    for path in every_link.values():
        for _ in range(3):
            page = getattr(client, method)(path)
            assert page.status_code == (405 if method == "options" else 200), path
    assert dump() == before


def test_a_button_needs_the_word_of_its_page(browser, every_link):
    before = dump()
    for name, path in every_link.items():
        if name != "one_click":
            page = browser.post(path)
            assert page.status_code == 403 and b"Press the button again" in page.content
    assert browser.post("/").status_code == 403 and browser.post("/preferences").status_code == 403
    assert dump() == before


def test_a_button_pressed_from_elsewhere_does_nothing(browser, every_link):
    for name, path in every_link.items():
        if name == "one_click":
            continue
        word = re.search(r'csrfmiddlewaretoken" value="(\w+)', browser.get(path).content.decode())
        assert word
        before = dump()
        page = browser.post(path, {"csrfmiddlewaretoken": word[1]}, headers={"origin": "https://evil.example"})
        assert page.status_code == 403
        assert dump() == before


def test_one_click_needs_no_cookie_no_referrer_and_no_origin_of_ours(every_link):
    machine = Client(enforce_csrf_checks=True)
    page = machine.post(
        every_link["one_click"],
        b"List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
        headers={"origin": "https://mail.provider.example"},
    )
    assert page.status_code == 200 and not page.cookies and "Location" not in page.headers
    assert set(Subscription.objects.values_list("ended_reason", flat=True)) == {"one-click"}
    assert Subscriber.objects.get(state="left")
    again = machine.post(every_link["one_click"], {"List-Unsubscribe": "One-Click"})
    assert again.status_code == 200 and not again.cookies


ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n%s\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (ONE_CLICK + b"\r\n", "application/x-www-form-urlencoded; charset=UTF-8"),
        (ONE_CLICK + b"&other=1", "application/x-www-form-urlencoded"),
        (FORM % b"One-Click", "multipart/form-data; boundary=b"),
    ],
)
def test_one_click_takes_both_forms_of_its_body(every_link, body, kind):
    page = Client(enforce_csrf_checks=True).post(every_link["one_click"], body, content_type=kind)
    assert (page.status_code, page.content) == (200, b"You are unsubscribed.\n")
    assert Subscriber.objects.get(state="left")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"", "text/plain"),
        (b"{}", "application/json"),
        (ONE_CLICK, "text/plain"),
        (b"List-Unsubscribe=", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=Two-Click", "application/x-www-form-urlencoded"),
        (b"list-unsubscribe=one-click", "application/x-www-form-urlencoded"),
        (b"x=List-Unsubscribe%3DOne-Click", "application/x-www-form-urlencoded"),
        (FORM % b"", "multipart/form-data; boundary=b"),
        (FORM % b"One-Click", "multipart/form-data; boundary=c"),
        (FORM % b"One-Click", "multipart/form-data"),
        (FORM.replace(b'"\r', b'"; filename="x"\r') % b"One-Click", "multipart/form-data; boundary=b"),
    ],
)
def test_a_post_of_something_else_ends_nothing(every_link, body, kind):
    """Scanners try links with POST too."""
    before = dump()
    page = Client(enforce_csrf_checks=True).post(every_link["one_click"], body, content_type=kind)
    assert page.status_code == 400
    assert dump() == before


def test_one_click_opened_by_a_person_shows_the_button(browser, every_link):
    html = browser.get(every_link["one_click"]).content.decode()
    assert f'action="{every_link["unsubscribe"]}"' in html


def test_unsubscribe_and_undo(browser, anna, lasting):
    path = reverse("unsubscribe", args=[lasting("unsubscribe")])
    page = press(browser, path)
    assert page.status_code == 200
    undo = re.search(r'action="(/undo/[^"]+)"', page.content.decode())
    assert undo and not Subscription.objects.filter(ended_at=None).exists()
    page = press(browser, undo[1])
    assert page.status_code == 200 and b"You are subscribed again" in page.content
    assert Subscription.objects.filter(ended_at=None).count() == 3


def test_unsubscribing_shows_neither_address_nor_what_was_followed(browser, anna, lasting):
    path = reverse("unsubscribe", args=[lasting("unsubscribe")])
    for page in (browser.get(path), press(browser, path)):
        html = page.content.decode()
        assert not any(secret in html for secret in (ANNA.value, "canary", WORD, "Huawei", "Uyghur"))


def test_a_token_opens_its_own_door_only(client, every_link):
    own = {"unsubscribe": {"unsubscribe", "one_click"}, "one_click": {"unsubscribe", "one_click"}}
    before = dump()
    for made_for, path in every_link.items():
        token = path.rpartition("/")[2]
        for name in every_link.keys() - own.get(made_for, {made_for}):
            page = client.get(reverse(name, args=[token]))
            assert page.status_code == 404, (made_for, name)
            assert "Huawei" not in page.content.decode()
    assert dump() == before


@pytest.mark.parametrize("name", [*urls.PATHS, "undo"])
@pytest.mark.parametrize("token", ["x", "A" * 22, "A" * 5000, "%00", "%2e%2e", "é", "' OR 1=1"])
def test_wrong_links_end_on_a_page_with_a_next_step(client, anna, name, token):
    path = urls.PATHS.get(name, "/undo/{token}").format(token=token)
    before = dump()
    for page in (client.get(path), client.post(path)):
        assert page.status_code == 404
        html = page.content.decode()
        assert 'action="/preferences"' in html and 'type="email"' in html and 'href="/"' in html
    assert dump() == before


def test_an_old_link_offers_a_fresh_one(browser, anna, manage):
    Notice.objects.update(expires_at=clock.utcnow() - timedelta(hours=1))
    path = reverse("preferences", args=[manage])
    page = browser.get(path)
    assert page.status_code == 410 and b'name="renew"' in page.content and b"Huawei" not in page.content
    done = press(browser, path, renew="1")
    assert (done.status_code, done.headers["Location"]) == (303, "/asked")
    assert Notice.objects.filter(kind="manage", expires_at__gt=clock.utcnow()).count() == 1


def test_an_old_confirmation_offers_a_fresh_one(browser, topics):
    sign_up(ANNA, Choices((topics[0].id,)), wiring.subscribing(clock.utcnow()))
    notice = Notice.objects.get()
    Notice.objects.update(expires_at=clock.utcnow() - timedelta(hours=1), created_at=clock.utcnow() - timedelta(days=8))
    done = press(browser, reverse("confirm", args=[notice_token(notice)]), renew="1")
    assert (done.status_code, done.headers["Location"]) == (303, "/expect")
    assert Notice.objects.count() == 2


def test_a_confirmation_so_old_that_its_person_was_deleted_is_said_to_be_old(browser, topics):
    signed_up = clock.utcnow() - timedelta(days=8)
    sign_up(ANNA, Choices((topics[0].id,)), wiring.subscribing(signed_up))
    path = reverse("confirm", args=[notice_token(Notice.objects.get())])
    prune_people.prune_pending(clock.utcnow(), never_stop)
    assert not Subscriber.objects.exists()
    page = browser.get(path)
    assert page.status_code == 404 and "may be too old" in page.content.decode()


def test_the_foot_of_a_mail_shows_nothing_and_mails_a_link(browser, anna, lasting):
    path = reverse("ask", args=[lasting("ask")])
    html = browser.get(path).content.decode()
    assert not any(secret in html for secret in ("canary", WORD, "Huawei", "Uyghur"))
    done = press(browser, path)
    assert (done.status_code, done.headers["Location"]) == (303, "/asked")
    assert Notice.objects.get().kind == "manage"


def test_objections_are_counted_and_nothing_else_changes(browser, topics, anna):
    token = objection_token(topics[0])
    path = reverse("objection", args=[token])
    html = browser.get(path).content.decode()
    assert "<bdi>Huawei builds a cable</bdi>" in html and "<bdi>Huawei</bdi>" in html, "both are in the mail already"
    assert not any(secret in html for secret in ("canary", WORD))
    before = dump()
    done = press(browser, path)
    assert (done.status_code, done.headers["Location"]) == (303, "/objected")
    after = dump()
    assert [table for table in after if after[table] != before[table]] == ["match"]
    assert Match.objects.get().objections == 1
    assert browser.get("/objected").status_code == 200


def test_one_item_under_a_topic_gathers_a_bounded_number_a_day(browser, topics, anna):
    path = reverse("objection", args=[objection_token(topics[0])])
    for _ in range(reader_feedback.MOST_A_DAY + 5):
        assert press(browser, path).status_code == 303
    assert Match.objects.get().objections == reader_feedback.MOST_A_DAY


def test_an_own_word_has_no_link_and_a_forged_one_leads_nowhere(browser, anna):
    own = Topic.objects.get(kind="own")
    item = factories.item()
    factories.match(item, own)
    token = reader_feedback.objection_token(item.id, own.id, wiring.vault())
    assert browser.get(reverse("objection", args=[token])).status_code == 404
    assert press(browser, reverse("objection", args=[token])).status_code in (403, 404)
    assert Match.objects.get().objections == 0
