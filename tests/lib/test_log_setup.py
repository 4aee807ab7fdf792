"""What no line of the log may hold: what an exception says, which may be somebody's address."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from newsletter.lib import log_setup
from newsletter.worker import tasks


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log_setup.configure("INFO")
    stream = io.StringIO()
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_task_that_fails_is_told_by_the_kind_of_its_error_alone(written: io.StringIO) -> None:
    @tasks.app.task(name="newsletter.test_fails")
    def fails() -> None:
        "canary+7f3a\ud800@example.org".encode()

    try:
        fails.apply()
    finally:
        del tasks.app.tasks["newsletter.test_fails"]
    told = written.getvalue()
    assert "newsletter.test_fails" in told
    assert "UnicodeEncodeError" in told
    assert "canary" not in told
