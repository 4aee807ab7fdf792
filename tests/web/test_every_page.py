"""What holds on every address: headers, one language, labels, no script, no secret in the log."""

import json
import logging
import re
from html.parser import HTMLParser

import pytest
from django.urls import URLPattern, get_resolver, reverse

from newsletter.config.config import METRICS_LISTENER
from newsletter.models import Gate, Pulse, Subscription
from newsletter.web.security_headers import POLICY
from tests.web.conftest import ANNA, WORD, press, signing_up
from tests.web.public.link_helpers import objection_token

pytestmark = pytest.mark.django_db
VOID = {"meta", "link", "input", "br", "img"}
#: What browsers keep; test_brand.py checks their headers.
BRAND = {"colors", "icon", "logo"}


def routes():
    return [pattern for pattern in get_resolver().url_patterns if isinstance(pattern, URLPattern)]


class Page(HTMLParser):
    """Tags that are open, labels, ids and headings of a page."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.ids, self.labelled = [], [], [], set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes, tuple(self.open)))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "label" and "for" in attributes:
            self.labelled.add(attributes["for"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"


@pytest.fixture
def pages(client, topics, anna, manage, lasting):
    """(path, page) of every page, also those with mistakes."""
    tokens = {"preferences": manage, "ask": lasting("ask"), "unsubscribe": lasting("unsubscribe")}
    tokens["one_click"] = tokens["unsubscribe"]
    tokens["objection"] = objection_token(topics[0])
    found = []
    for pattern in routes():
        args = [tokens.get(pattern.name, "A" * 22)] if "<" in str(pattern.pattern) else []
        found.append((pattern.name, client.get(reverse(pattern.name, args=args))))
    found.append(("mistakes", client.post("/", {"address": "bob@"})))
    found.append(("preview", client.post("/", signing_up(topics, keyword=WORD, preview="1"))))
    found.append(("404", client.get("/nothing/here")))
    return found


def test_headers(pages):
    for name, page in pages:
        if name in BRAND:
            continue
        assert page.headers["Content-Security-Policy"] == POLICY, name
        assert page.headers["Cache-Control"] == "no-store", name
    for name, page in pages:
        assert page.headers["Referrer-Policy"] == "strict-origin", name
        assert page.headers["X-Content-Type-Options"] == "nosniff", name
        assert page.headers["X-Frame-Options"] == "DENY", name
        assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin", name


def test_html_is_well_made_and_usable_without_eyes(pages):
    for name, page in pages:
        if not page.headers["Content-Type"].startswith("text/html"):
            continue
        html = page.content.decode()
        seen = Page(html)
        assert not seen.open, name
        assert html.startswith('<!doctype html>\n<html lang="en" dir="ltr">'), name
        assert len(seen.ids) == len(set(seen.ids)), (name, seen.ids)
        tags = [tag for tag, _, _ in seen.tags]
        assert tags.count("main") == tags.count("h1") == tags.count("header") == tags.count("footer") == 1, name
        assert tags.count("title") == 1 and re.search(r"<title>\S.+</title>", html), name
        assert not {"script", "style", "img", "iframe"} & set(tags), name
        assert not re.search(r'\s(style|on\w+)="', html), name
        levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False)), (name, levels)
        for tag, attributes, around in seen.tags:
            if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden":
                named = attributes.get("id") in seen.labelled or "label" in around or "aria-label" in attributes
                assert named, (name, attributes)
            for reference in (attributes.get("aria-describedby") or "").split():
                assert reference in seen.ids, (name, reference)
            for address in (attributes.get("href"), attributes.get("src"), attributes.get("action")):
                assert address is None or re.match(r"(/(?!/)|#|mailto:)", address), (name, address)
                if address and address.startswith("#"):
                    assert address[1:] in seen.ids, (name, address)


def test_forms_that_post_hold_the_word_against_forgery(pages):
    for name, page in pages:
        html = page.content.decode()
        assert html.count('method="post"') == html.count("csrfmiddlewaretoken"), name


def test_nothing_secret_reaches_the_log(browser, topics, anna, manage, lasting, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "django.request")  # quieter where the service set up its log in this process
    secrets = [ANNA.value, "canary", WORD, manage, lasting("ask"), lasting("unsubscribe")]
    press(browser, "/", **signing_up(topics, address=ANNA.value, keyword=WORD))
    press(browser, "/", **signing_up(topics, address=ANNA.value, keyword=WORD, preview="1"))
    press(browser, "/preferences", address=ANNA.value)
    press(browser, reverse("preferences", args=[manage]), keyword=WORD, cadence="2", add="1")
    for path in (f"/confirm/{manage}", f"/preferences/{lasting('unsubscribe')}", f"/x/{manage}", f"/ask/{manage}/"):
        browser.get(path)
        browser.post(path)
        browser.delete(path)
    press(browser, reverse("unsubscribe", args=[lasting("unsubscribe")]))
    browser.raise_request_exception = False
    told = "\n".join(
        record.getMessage() + repr(record.__dict__) for record in caplog.records if "sql" not in record.__dict__
    )
    told += "".join(capfd.readouterr())
    assert "Not Found: (no such page)" in told, "Django's own lines are in what is searched"
    assert "Forbidden (CSRF" in told
    for secret in secrets:
        assert secret not in told


def test_a_fault_of_ours_is_a_page_and_its_log_line_holds_no_token(client, anna, manage, monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise RuntimeError("a fault for this test")

    monkeypatch.setattr("newsletter.web.public.preferences.view", broken)
    client.raise_request_exception = False
    page = client.get(reverse("preferences", args=[manage]))
    assert page.status_code == 500 and b"Something went wrong on our side" in page.content
    assert "a fault for this test" in caplog.text and manage not in caplog.text


def test_the_stylesheet_is_served_and_loads_nothing(client):
    page = client.get("/")
    address = re.search(r'rel="stylesheet" href="([^"]+)"', page.content.decode())
    sheet = client.get(address[1])
    css = b"".join(sheet.streaming_content).decode() if sheet.streaming else sheet.content.decode()
    assert sheet.status_code == 200 and sheet.headers["Content-Type"].startswith("text/css")
    assert "url(" not in css and "@import" not in css


def test_health(client):
    assert (client.get("/healthz").content, client.get("/healthz").status_code) == (b"ok\n", 200)


def gate(**other):
    word = {"check_key_id": 1, "check_cipher": b"", "check_index": b"", "check_token": ""}
    Gate.objects.update_or_create(id=1, defaults={"installation_epoch": "0" * 32, **word, **other})


def test_ready(client):
    from datetime import timedelta

    from newsletter.lib import db

    assert client.get("/readyz").status_code == 503
    gate()
    assert json.loads(client.get("/readyz").content) == {"ready": True, "reasons": [], "notices": []}
    gate(sending_open=False)
    paused = client.get("/readyz")
    assert paused.status_code == 200 and paused.json()["notices"] == ["sending is paused"]
    Pulse.objects.create(name="tick", at=db.now() - timedelta(seconds=110))
    assert client.get("/readyz").status_code == 200
    Pulse.objects.update(at=db.now() - timedelta(seconds=130))
    late = client.get("/readyz")
    assert late.status_code == 503 and "is one running?" in late.json()["reasons"][0]


def test_metrics(client, anna):
    gate()
    told = client.get("/metrics", **{METRICS_LISTENER: True}).content.decode()
    assert 'newsletter_subscribers{state="active"} 1.0' in told and "newsletter_sending_open 1.0" in told
    for name in (
        "batches",
        "deliveries_unknown",
        "planned_age_seconds",
        "feeds_due",
        "feeds_failing",
        "fresh_match_age_seconds",
    ):
        assert f"\nnewsletter_{name}" in told
    assert not any(secret in told for secret in ("Huawei", WORD, "canary"))


def test_small_texts(client):
    assert "Disallow: /preferences/\n" in client.get("/robots.txt").content.decode()
    told = client.get("/.well-known/security.txt").content.decode()
    assert told.startswith("Contact: mailto:") and re.search(r"\nExpires: \d{4}-\d\d-\d\dT00:00:00Z\n", told)


def test_no_address_of_a_visitor_is_stored(client, topics):
    from tests.web.public.link_helpers import dump

    client.post("/", signing_up(topics), REMOTE_ADDR="203.0.113.77", headers={"user-agent": "Probe/1"})
    assert "203.0.113.77" not in str(dump()) and "Probe/1" not in str(dump())
    assert not Subscription.objects.exists()
