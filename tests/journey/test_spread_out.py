"""The same code as separate processes on PostgreSQL and Redis: web, Celery worker, Celery beat; then Redis goes away."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from pytest_httpserver import HTTPServer

from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.journey.deployment import Deployment
from tests.services import free_port

#: Seconds after which a mail is called missing: several times what the design promises.
TOO_LONG = 240


@pytest.fixture
def smtp() -> Iterator[SmtpCatcher]:
    with SmtpCatcher() as catcher:
        yield catcher


@pytest.fixture
def deployment(
    postgres_server, redis_server, smtp: SmtpCatcher, httpserver: HTTPServer, tmp_path: Path
) -> Iterator[Deployment]:
    site = urlsplit(httpserver.url_for("/"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")} | {
        "NEWSLETTER_DATA_DIR": str(tmp_path / "data"),
        "NEWSLETTER_DATABASE_URL": postgres_server.new_database(),
        "NEWSLETTER_BROKER_URL": redis_server.url,
        "NEWSLETTER_MAIL_URL": smtp.url,
        "NEWSLETTER_FROM": "The Digest <digest@news.example.org>",
        "NEWSLETTER_FEED_ALLOW": f"{site.hostname}:{site.port}",
        "NEWSLETTER_BIND": f"127.0.0.1:{free_port()}",
        "NEWSLETTER_GATHER": "0",
    }
    made = Deployment(environment, tmp_path)
    try:
        yield made
    finally:
        made.stop()


def wait_for(smtp: SmtpCatcher, mails: int) -> int:
    """How many mails arrived: waits for that many, but not for ever."""
    until = time.monotonic() + TOO_LONG
    while len(smtp.messages) < mails and time.monotonic() < until:
        time.sleep(0.2)
    return len(smtp.messages)


def test_separate_processes_deliver_with_the_bell_and_without(
    deployment: Deployment, smtp: SmtpCatcher, redis_server, httpserver: HTTPServer, tmp_path: Path
) -> None:
    url = road.serve(httpserver, road.posts(road.ARTICLES[:1]))
    deployment.run(
        ("migrate",),
        ("topics", "add", "Uyghur", "--query", "Uyghur OR Uighur"),
        ("feeds", "add", url, "--announce", "all"),
        ("subscribers", "add", "spread@example.org", "--topic", "Uyghur", "--confirmed"),
    )
    deployment.start("-m", "celery", "-A", "worker", "worker", "--concurrency=2", "--loglevel=INFO")
    deployment.start("-m", "celery", "-A", "worker", "beat", "--loglevel=INFO")
    deployment.start("-m", "newsletter", "web")
    assert wait_for(smtp, 1) == 1
    bind = deployment.environment["NEWSLETTER_BIND"]
    assert httpx2.get(f"http://{bind}/healthz").status_code == 200
    assert httpx2.get(f"http://{bind}/readyz").status_code == 200

    redis_server.stop()
    try:
        later = (("Uyghur poems in print", "A small press brings out a book.", "Source: Example Wire"),)
        road.serve(httpserver, road.posts(later).replace("post-0", "post-new"))
        deployment.run(("feeds", "refresh"))
        assert wait_for(smtp, 2) == 2, "no mail left while Redis was away"
    finally:
        redis_server.start()
    assert httpx2.get(f"http://{bind}/readyz").status_code == 200
    for log in tmp_path.glob("*.log"):
        written = log.read_text(errors="replace")
        assert "spread@example.org" not in written
        assert "Uyghur" not in written
