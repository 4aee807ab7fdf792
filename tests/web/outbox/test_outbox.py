"""The outbox is read on the machine that wrote it, and nowhere else."""

import http.client
import os
import re
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from urllib.parse import urlsplit

import pytest
from django.core.wsgi import get_wsgi_application

from newsletter import wiring
from newsletter.cli.service.http_server import HTTPServer
from newsletter.providers.outbox import Outbox
from newsletter.web.client_address import FORWARDING_HEADERS
from newsletter.web.mail_frame import MAIL_POLICY
from newsletter.web.mail_parts import links
from newsletter.web.outbox.mails import PAGE
from newsletter.web.outbox.views import FRAMING_POLICY
from tests.providers.pieces import SENDER, letter, parcel

LOCAL = "127.0.0.1:8000"
PATHS = ("/outbox/", "/outbox/{}", "/outbox/{}?view=source", "/outbox/{}/html")


@pytest.fixture
def configure(settings, tmp_path):
    def use(**changes):
        local = {"data_dir": tmp_path, "bind": ("127.0.0.1", 8000), "base_url": "http://127.0.0.1:8000"}
        settings.NEWSLETTER = replace(wiring.config(), **(local | changes))

    use()
    return use


@pytest.fixture
def written(configure, tmp_path):
    """The names of two mails, the older one first."""
    moments = iter(datetime(2026, 11, 24, 7, 0, tzinfo=UTC) + timedelta(seconds=n) for n in range(1000))
    outbox = Outbox(tmp_path / "outbox", SENDER, clock=lambda: next(moments))
    outcomes = outbox.hand_over([parcel(1), parcel(2, of=letter(edition=2, subject="<b>Another</b>"))])
    return [outcomes[delivery].ref for delivery in (1, 2)]


def ask(client, path, **meta):
    return client.get(path, **({"HTTP_HOST": LOCAL} | meta))


def test_the_list_has_the_newest_first_and_says_when_it_is_empty(client, configure, tmp_path):
    assert "No mail yet" in ask(client, "/outbox/").content.decode()


def test_mails_are_listed_and_shown(client, written):
    page = ask(client, "/outbox/").content.decode()
    assert page.index(written[1]) < page.index(written[0])
    assert "&lt;b&gt;Another&lt;/b&gt;" in page and "<b>Another" not in page
    assert "24 November 2026, 07:00:01 UTC" in page
    for view, sign in (("phone", "<iframe"), ("desktop", "<iframe"), ("text", "<pre"), ("source", "Message-ID:")):
        answer = ask(client, f"/outbox/{written[0]}?view={view}")
        assert answer.status_code == 200 and sign in answer.content.decode()
        assert answer.headers["Content-Security-Policy"] == FRAMING_POLICY


def test_the_mail_itself_runs_nothing_and_is_framed_by_us_alone(client, written):
    answer = ask(client, f"/outbox/{written[0]}/html")
    assert answer.headers["Content-Security-Policy"] == MAIL_POLICY
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN" and answer.headers["Cache-Control"] == "no-store"
    assert "script-src" not in MAIL_POLICY and "allow-" not in MAIL_POLICY


def test_a_long_list_goes_on_where_it_ended(client, configure, tmp_path):
    moments = iter(datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=n) for n in range(1000))
    outbox = Outbox(tmp_path / "outbox", SENDER, clock=lambda: next(moments))
    outbox.hand_over([parcel(number) for number in range(1, PAGE + 2)])
    first = ask(client, "/outbox/").content.decode()
    assert first.count('<li><a href="/outbox/') == PAGE
    older = re.search(r'href="(\?before=[^"]+)"', first)
    second = ask(client, f"/outbox/{older[1]}").content.decode()
    assert second.count('<li><a href="/outbox/') == 1 and "?before=" not in second


@pytest.mark.parametrize("name", ["none.eml", "20261124T070000Z-none.eml", "..%2Fkeys", "20261124T070000Z-%2E%2E.eml"])
def test_what_is_no_mail_is_not_found(client, written, name):
    assert ask(client, f"/outbox/{name}").status_code == 404
    assert ask(client, f"/outbox/{name}/html").status_code == 404
    assert ask(client, f"/outbox/{written[0]}?view=other").status_code == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: text/html; charset=x-nonsense\r\n\r\n<p>\xff",
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
        b"Content-Type: text/html\r\n\r\n<![foo bar]]><p>",
        b"Content-Type: text/plain; x*0*=; x*=utf'\r\nMessage-ID: <a@[\r\n\r\nx",
        b"To: <\r\n\r\n",
        b'Subject: \xff\r\nTo: "\r\n\r\n',
        b"",
    ],
)
def test_a_broken_mail_is_listed_and_its_source_is_shown(client, written, tmp_path, raw):
    name = "20261124T080000Z-broken.eml"
    (tmp_path / "outbox" / name).write_bytes(raw)
    page = ask(client, "/outbox/")
    assert page.status_code == 200 and name in page.content.decode() and written[0] in page.content.decode()
    assert ask(client, f"/outbox/{name}?view=source").status_code == 200
    assert ask(client, f"/outbox/{name}").status_code == 200
    assert ask(client, f"/outbox/{name}/html").status_code == 200


def test_what_is_no_file_is_no_mail(client, written, tmp_path):
    outbox = tmp_path / "outbox"
    (tmp_path / "secret").write_text("Subject: secret\n\n")
    (outbox / "20261124T080000Z-link.eml").symlink_to(tmp_path / "secret")
    (outbox / "20261124T080001Z-folder.eml").mkdir()
    os.mkfifo(outbox / "20261124T080002Z-pipe.eml")
    (outbox / "99999999T999999Z-date.eml").write_bytes(b"Subject: x\r\n\r\n")
    names = {path.name for path in outbox.iterdir()} - set(written)
    page = ask(client, "/outbox/").content.decode()
    assert not [name for name in names if name in page] and written[0] in page
    assert {ask(client, f"/outbox/{name}").status_code for name in names} == {404}


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_it_is_open_under_every_name_of_this_machine(client, written, host):
    assert ask(client, "/outbox/", HTTP_HOST=host).status_code == 200


def everything_is_closed(client, written, **meta):
    return all(ask(client, path.format(written[0]), **meta).status_code == 404 for path in PATHS)


@pytest.mark.parametrize("header", sorted({*FORWARDING_HEADERS, "HTTP_X_FORWARDED_PORT", "HTTP_CF_CONNECTING_IP"}))
def test_behind_a_proxy_there_is_no_outbox(client, written, header):
    assert everything_is_closed(client, written, **{header: "127.0.0.1"})


def test_behind_a_proxy_that_adds_no_header_there_is_no_outbox(client, written):
    assert everything_is_closed(client, written, SERVER_PROTOCOL="HTTP/1.0")


@pytest.mark.parametrize("peer", ["192.168.1.5", "203.0.113.9", "::ffff:10.0.0.1", "2001:db8::1", ""])
def test_for_another_machine_there_is_no_outbox(client, written, peer):
    assert everything_is_closed(client, written, REMOTE_ADDR=peer)


def test_under_a_name_that_is_not_of_this_machine_there_is_no_outbox(client, written, settings):
    settings.ALLOWED_HOSTS = ["*"]
    for host in ("rebound.example.org", "127.0.0.1.example.org", "10.0.0.1:8000", "localhost.example.org"):
        assert everything_is_closed(client, written, HTTP_HOST=host)


@pytest.mark.parametrize(
    "changes",
    [
        {"bind": ("0.0.0.0", 8000)},
        {"base_url": "https://news.example.org"},
        {"trusted_proxy": (ip_network("127.0.0.1"),)},
        {"mail": urlsplit("smtp://127.0.0.1:25")},
    ],
    ids=["bind", "base", "proxy", "smtp"],
)
def test_an_installation_that_others_can_reach_has_no_outbox(client, written, configure, changes):
    configure(**changes)
    assert everything_is_closed(client, written)


def test_through_the_real_server(written):
    """Over a socket, the header of a proxy arrives as it was sent."""
    server = HTTPServer(get_wsgi_application(), "127.0.0.1", 0, threads=2)
    port = server.addresses[0][1]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        statuses = []
        for headers in ({}, {"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/outbox/", headers=headers)
            statuses.append(connection.getresponse().status)
            connection.close()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as proxy:
            proxy.sendall(b"GET /outbox/ HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            statuses.append(int(proxy.recv(1000).split()[1]))
    finally:
        server.close()
        thread.join(20)
    assert statuses == [200, 404, 404, 404]


def test_each_link_of_a_mail_is_listed_once_with_its_words():
    html = (
        '<a href="https://a.example/1"><b>Read</b>\n on</a> <a href="#x">no</a> <a href="https://a.example/1">again</a>'
    )
    assert [(link.url, link.words) for link in links(html)] == [("https://a.example/1", "Read on")]
    assert links('<a href="javascript:alert(1)">x</a>') == ()
