"""A worker keeps its connection to the database from one task to the next, and finds another when that one broke."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from celery import Celery

from tests.journey.deployment import Deployment


@pytest.fixture
def deployment(postgres_server, redis_server, tmp_path: Path) -> Iterator[Deployment]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")} | {
        "NEWSLETTER_DATA_DIR": str(tmp_path / "data"),
        "NEWSLETTER_DATABASE_URL": postgres_server.new_database(),
        "NEWSLETTER_BROKER_URL": redis_server.url,
    }
    made = Deployment(environment, tmp_path)
    try:
        yield made
    finally:
        made.stop()


def eventually(done: Callable[[], object], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.2)
    return False


def test_tasks_share_a_connection_and_a_broken_one_is_replaced(deployment: Deployment) -> None:
    deployment.run(("migrate",))
    deployment.start("-m", "celery", "-A", "worker", "worker", "--concurrency=1", "--loglevel=WARNING")
    bells = Celery(broker=deployment.environment["NEWSLETTER_BROKER_URL"])
    bells.conf.broker_transport_options = {"global_keyprefix": "newsletter:"}
    with psycopg.connect(deployment.environment["NEWSLETTER_DATABASE_URL"], autocommit=True) as own:

        def ring(*names: str) -> datetime:
            """Ring, with a look at the end; returns when that was."""
            before = looked()
            for name in (*names, "recover"):
                bells.send_task(f"newsletter.{name}", queue="newsletter")
            assert eventually(lambda: looked() > before), "the worker does not work"
            return looked()

        def looked() -> datetime:
            return own.execute("SELECT max(at) FROM pulse WHERE name='tick'").fetchone()[0]

        def sessions() -> set[int]:
            """The worker's sessions with the database, by process."""
            return {pid for (pid,) in own.execute(f"SELECT pid {others}")}

        others = "FROM pg_stat_activity WHERE datname=current_database() AND pid<>pg_backend_pid()"
        assert eventually(lambda: own.execute("SELECT 1 FROM pg_tables WHERE tablename='pulse'").fetchone())
        assert eventually(looked)
        ring()
        before = sessions()
        ring(*["slots"] * 20)
        assert before & sessions(), "a connection for each task"
        own.execute(f"SELECT pg_terminate_backend(pid) {others}")
        ring("slots")
