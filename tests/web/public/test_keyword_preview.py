"""The preview of readers' keywords: honest words, a bad line that hides no other, and no more than two at a time."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
import waitress.server
from django.core.wsgi import get_wsgi_application
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from newsletter import wiring
from newsletter.lib import clock
from newsletter.matching.live_index import item_index
from newsletter.models import Item
from newsletter.web.public import keyword_preview
from tests import factories
from tests.web.conftest import WORD, press, signing_up

pytestmark = pytest.mark.django_db


def article(title: str, days: float = 1) -> Item:
    return factories.item(title, "", seen=clock.utcnow() - timedelta(days=days))


def shown(client: Client, *lines: str, path: str = "/") -> tuple[int, str, str]:
    """Status, page, and what the preview says, without its marks."""
    page = client.post(path, {"preview": "1", "keyword": "\r\n".join(lines), "cadence": "2"})
    html = page.content.decode()
    panel = html.partition('role="status">')[2].partition("</div>")[0]
    return page.status_code, html, " ".join(re.sub("<[^>]+>", "", panel).split())


@contextmanager
def taken() -> Iterator[None]:
    """As many previews as may run are running."""
    for _ in range(keyword_preview.AT_ONCE):
        keyword_preview._free.acquire()
    try:
        yield
    finally:
        for _ in range(keyword_preview.AT_ONCE):
            keyword_preview._free.release()


def test_it_says_how_many_and_of_what(client: Client) -> None:
    article("Zzyzx one")
    article("Zzyzx two")
    article("Kashgar", days=40)
    _, _, told = shown(client, "zzyzx", "kashgar", "zzyzx one")
    assert "“zzyzx” matches 2 articles of the last 30 days Zzyzx two" in told
    assert "No article of the last 30 days matches “kashgar”" in told
    assert "“zzyzx one” matches 1 article of the last 30 days" in told
    assert "try again" not in told


def test_of_more_articles_than_are_looked_at_it_says_how_many_were(client: Client, monkeypatch) -> None:
    index = item_index.ItemIndex(most_items=2)
    monkeypatch.setattr(wiring, "item_index", lambda: index)
    for number in range(3):
        article(f"Zzyzx {number}")
    _, _, told = shown(client, "zzyzx", "kashgar")
    assert "“zzyzx” matches 2 of the newest 2 articles" in told
    assert "None of the newest 2 articles matches “kashgar”" in told
    assert "30 days" not in told and "Not all articles were searched in time. Try again in a minute" in told


def test_without_any_article_it_says_so(client: Client) -> None:
    assert shown(client, "zzyzx")[2].startswith("No articles yet")
    article("Zzyzx", days=40)
    assert "No articles in the last 30 days" in shown(client, "zzyzx")[2]


def test_before_anything_was_read_it_says_so(client: Client, monkeypatch) -> None:
    article("Zzyzx")
    monkeypatch.setattr(item_index, "CATCH_UP_SECONDS", 0)
    monkeypatch.setattr(item_index.ItemIndex, "catch_up_in_background", lambda *_, **__: None)
    assert "still being read" in shown(client, "zzyzx")[2]


@pytest.mark.parametrize("page", ["subscribe", "preferences"])
def test_a_bad_line_is_shown_and_hides_no_other(client: Client, manage: str, page: str) -> None:
    path = "/" if page == "subscribe" else reverse("preferences", args=[manage])
    article("Zzyzx")
    status, html, told = shown(client, "zzyzx", "", 'a "b', "Kashgar OR Aksu", path=path)
    assert status == 422 and "“zzyzx” matches 1 article" in told
    wrong = html.partition('id="wrong-keyword">')[2].partition("</p>")[0]
    assert "Line 3, “a &#34;b”: A quotation mark is missing" in wrong
    assert "Line 4, “Kashgar OR Aksu”: Use words" in wrong
    assert "zzyzx" not in wrong


@pytest.mark.parametrize("page", ["subscribe", "preferences"])
def test_beyond_two_at_a_time_a_page_says_try_again_and_keeps_what_was_typed(
    browser: Client, topics, manage: str, page: str
) -> None:
    path = "/" if page == "subscribe" else reverse("preferences", args=[manage])
    typed = {"keyword": f"{WORD}\r\nhuawei -cable", "cadence": "3", "preview": "1"}
    if page == "subscribe":
        typed = signing_up(topics, **typed)
    with taken():
        answer = press(browser, path, **typed)
    html = answer.content.decode()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Try again in a minute" in html and "matches" not in html.partition('role="status"')[2][:300]
    assert f"{WORD}\nhuawei -cable" in html.replace("\r", "")
    assert re.search(r'value="3"( selected| checked)', html)
    assert press(browser, path, **typed).status_code == 200


def test_a_preview_that_fails_gives_its_place_back(client: Client, monkeypatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a fault for this test")

    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(keyword_preview, "search", fails)
        assert [shown(client, "zzyzx")[0] for _ in range(keyword_preview.AT_ONCE + 1)] == [500] * 3
    assert shown(client, "zzyzx")[0] == 200


@pytest.fixture
def port(transactional_db: None) -> Iterator[int]:
    """The pages behind waitress on a real socket."""
    server = waitress.server.create_server(_closing(get_wsgi_application()), host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()
    thread.join(timeout=10)


def _closing(application):
    """Nothing may be connected to the tests' database when it is dropped."""

    def answer(environ, start_response):
        try:
            return [b"".join(application(environ, start_response))]
        finally:
            connections.close_all()

    return answer


def asked(port: int, method: str, path: str, **form: str) -> int:
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrf={'a' * 32}"}
    client.request(method, path, urlencode({"csrfmiddlewaretoken": "a" * 32} | form), headers)
    answer = client.getresponse()
    answer.read()
    client.close()
    return answer.status


def test_of_twenty_at_once_two_run_the_others_are_told_at_once_and_healthz_answers(port: int, monkeypatch) -> None:
    for number in range(30):
        article(f"Zzyzx {number}")
    go_on, inside, search = threading.Event(), [], keyword_preview.search

    def held(*args, **kwargs):
        inside.append(1)
        assert go_on.wait(120)
        return search(*args, **kwargs)

    monkeypatch.setattr(keyword_preview, "search", held)
    answers: list[int] = []
    lines = "\n".join(f"zzyzx -{number}" for number in range(10))
    looks = [
        threading.Thread(target=lambda: answers.append(asked(port, "POST", "/", keyword=lines, preview="1")))
        for _ in range(20)
    ]
    for look in looks:
        look.start()
    while len(answers) < 18:
        time.sleep(0.01)
        assert any(look.is_alive() for look in looks)
    assert asked(port, "GET", "/healthz") == 200
    assert answers == [503] * 18 and len(inside) == 2, "the others were answered while these two still run"
    go_on.set()
    for look in looks:
        look.join()
    assert sorted(answers) == [200, 200] + [503] * 18
    connection.close()
