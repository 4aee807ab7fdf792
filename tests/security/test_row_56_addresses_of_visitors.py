"""Row 56: no IP address and no browser of a visitor is stored or logged, and pages work without scripts."""

import pytest
from django.urls import reverse

from newsletter.worker import sign_ups
from tests.security.service import Service
from tests.security.stored import everything_stored
from tests.web.conftest import signing_up

AGENT = "Canary7f3aBrowser/1.0"
ADDRESSES = ("203.0.113.77", "2001:db8:77::7")


@pytest.mark.django_db
def test_no_table_holds_a_visitors_address_network_or_browser(client, topics, lasting) -> None:
    for number, address in enumerate(ADDRESSES):
        from_there = {"REMOTE_ADDR": address, "HTTP_USER_AGENT": AGENT}
        client.post("/", signing_up(topics, address=f"r{number}@example.org"), **from_there)
        client.post(reverse("ask", args=[lasting("ask")]), **from_there)
        client.post(reverse("unsubscribe", args=[lasting("unsubscribe")]), **from_there)
    sign_ups.decide()
    for name, content in everything_stored().items():
        for secret in (*ADDRESSES, "203.0.113", "2001:db8:77", AGENT, bytes([203, 0, 113, 77]).decode("latin-1")):
            assert secret not in content, name


def test_the_running_service_writes_no_line_about_a_visit(service: Service) -> None:
    for path in ("/", "/nothing", "/unsubscribe/" + "A" * 22, "/?address=canary7f3a", "/preferences"):
        service.ask(
            path, f"User-Agent: {AGENT}", "X-Forwarded-For: 203.0.113.77", source="127.0.0.2", host="news.example.org"
        )
    log = service.log.read_text()
    assert not any(secret in log for secret in ("203.0.113.77", AGENT, "A" * 22, "canary7f3a"))


def test_no_page_holds_a_script(service: Service) -> None:
    for path in ("/", "/preferences", "/privacy", "/nothing"):
        page = service.ask(path)
        assert b"<script" not in page.body and b" on" + b"click" not in page.body
        assert "script-src" not in page.headers["content-security-policy"], "default-src is 'none'"
