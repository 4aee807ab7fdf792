"""Redis goes away under real processes: a busy worker outlives it, one that starts without it looks by itself, nobody waits."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.journey.deployment import Deployment

WORKER = ("-m", "celery", "-A", "worker", "worker", "--concurrency=2", "--loglevel=INFO")
BEAT = ("-m", "celery", "-A", "worker", "beat", "--loglevel=INFO")


@pytest.fixture
def smtp() -> Iterator[SmtpCatcher]:
    with SmtpCatcher() as catcher:
        yield catcher


@pytest.fixture
def deployment(redis_server, smtp: SmtpCatcher, httpserver: HTTPServer, tmp_path: Path) -> Iterator[Deployment]:
    """On SQLite; Redis is back and empty afterwards."""
    site = urlsplit(httpserver.url_for("/"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")} | {
        "NEWSLETTER_DATA_DIR": str(tmp_path / "data"),
        "NEWSLETTER_BROKER_URL": redis_server.url,
        "NEWSLETTER_MAIL_URL": smtp.url,
        "NEWSLETTER_FROM": "The Digest <digest@news.example.org>",
        "NEWSLETTER_FEED_ALLOW": f"{site.hostname}:{site.port}",
        "NEWSLETTER_GATHER": "0",
    }
    made = Deployment(environment, tmp_path)
    try:
        yield made
    finally:
        redis_server.freeze(False)
        made.stop()
        redis_server.start()
        redis_server.command("FLUSHALL")


def until(happened: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether it happened within that time."""
    ends = time.monotonic() + seconds
    while not happened() and time.monotonic() < ends:
        time.sleep(0.05)
    return happened()


def told(logs: Path, number: int) -> str:
    """What a process logged."""
    return next(logs.glob(f"{number}-*.log")).read_text(errors="replace")


def sql(deployment: Deployment, statement: str) -> None:
    """Change rows as time would."""
    with sqlite3.connect(Path(deployment.environment["NEWSLETTER_DATA_DIR"]) / "newsletter.sqlite3") as connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


def taken(redis_server) -> bool:
    """Whether a worker took all that was rung."""
    return redis_server.command("LLEN", "newsletter:newsletter") == "0"


def test_a_worker_in_the_middle_of_a_task_outlives_redis(
    deployment: Deployment, redis_server, httpserver: HTTPServer, tmp_path: Path
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slowly(_request: Request) -> Response:
        asked.set()
        answer.wait(20)
        return Response(road.posts(), content_type="application/rss+xml")

    deployment.run(("migrate",), ("feeds", "add", road.serve(httpserver, road.posts())))
    sql(deployment, "UPDATE feed SET next_fetch_at = '2020-01-01 00:00:00'")
    httpserver.clear()
    httpserver.expect_request("/feed").respond_with_handler(slowly)
    worker = deployment.start(*WORKER)
    deployment.publish("refresh_due")
    assert asked.wait(60)
    redis_server.stop(kill=True)
    assert until(lambda: "Connection to broker lost" in told(tmp_path, 0))
    answer.set()
    redis_server.start()
    deployment.publish("match")
    # what the task said when it ended is heard once the worker is connected again
    assert until(lambda: taken(redis_server), 60)
    assert until(lambda: "not_acknowledged" in told(tmp_path, 0)), "the task ended, and the worker with it"
    assert worker.poll() is None
    assert "Error on" not in told(tmp_path, 0)  # as Celery says of a step that it could not end or begin anew
    assert "mingle" not in told(tmp_path, 0)


def test_processes_that_start_without_redis_deliver_and_come_to_it_when_it_is_there(
    deployment: Deployment, smtp: SmtpCatcher, redis_server, httpserver: HTTPServer
) -> None:
    deployment.run(
        ("migrate",),
        ("topics", "add", "Uyghur", "--query", "Uyghur OR Uighur"),
        ("feeds", "add", road.serve(httpserver, road.posts(road.ARTICLES[:1])), "--announce", "all"),
        ("subscribers", "add", "away@example.org", "--topic", "Uyghur", "--confirmed"),
    )
    sql(deployment, "UPDATE pulse SET at = '2020-01-01 00:00:00' WHERE name = 'tick'")  # it stood still for long
    redis_server.stop(kill=True)
    processes = [deployment.start(*WORKER), deployment.start(*BEAT)]
    assert until(lambda: bool(smtp.messages)), "no mail left without a ring"
    redis_server.start()
    deployment.publish("match")
    assert until(lambda: taken(redis_server))
    assert [one.poll() for one in processes] == [None, None]
    processes[0].terminate()
    processes[0].wait(timeout=30)
    redis_server.command("FLUSHALL")
    assert until(lambda: not taken(redis_server)), "beat rings no more"
