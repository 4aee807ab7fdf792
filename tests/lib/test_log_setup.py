"""What no line of the log may hold: what an exception says, which may be somebody's address."""

import ast
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import newsletter
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


def _logged_fields(tree: ast.Module) -> Iterator[str]:
    """The names of all fields that a module gives to its `log`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log")), keywords=fields):
                yield from (field.arg for field in fields if field.arg)


def test_every_field_that_the_service_logs_is_on_the_list() -> None:
    found: dict[str, str] = {}
    for path in Path(newsletter.__file__).parent.rglob("*.py"):
        found |= dict.fromkeys(_logged_fields(ast.parse(path.read_text(encoding="utf-8"))), path.name)
    assert {"error", "batch_id"} <= found.keys()
    assert {name: where for name, where in found.items() if name not in log_setup.ALLOWED} == {}
