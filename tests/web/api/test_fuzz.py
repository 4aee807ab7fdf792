"""Schemathesis against the description: whatever it describes or forbids is sent, and every answer is a described one, never 5xx.

`make api-fuzz` sends more.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from newsletter import wiring
from newsletter.admins import tokens
from newsletter.feeds.fetching.http_client import RequestFailed
from newsletter.models import ApiToken, IndexState
from newsletter.worker import tasks
from tests import factories
from tests.web.api.conftest import make_token

EXAMPLES = int(os.environ.get("API_EXAMPLES", "2"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
STRICT = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES < 10,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class NoNetwork:
    """A site that cannot be reached."""

    def get(self, *args: Any, **options: Any) -> RequestFailed:
        return RequestFailed("it cannot be reached")


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Requests leave the connection of the test open, as those of Django's own client do."""
    moments = (signals.request_started, signals.request_finished)
    for moment in moments:
        moment.disconnect(close_old_connections)
    yield
    for moment in moments:
        moment.connect(close_old_connections)


@pytest.fixture
def by_scope(one_connection: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    IndexState.objects.get_or_create(id=1)
    factories.open_gate()
    factories.planned(3)
    monkeypatch.setattr(tokens, "PER_MINUTE", 1_000_000)
    monkeypatch.setattr(wiring, "fetcher", NoNetwork)
    monkeypatch.setattr(tasks, "publish", lambda name: None)
    return {scope: make_token(scope) for scope in ApiToken.Scope.values}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_described(by_scope: dict[str, str], mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        headers = {"Authorization": f"Bearer {by_scope[operation.definition.raw['x-scope']]}"}
        if mode == GenerationMode.NEGATIVE and not operation.body and not any(operation.iter_parameters()):
            continue
        asked += 1

        _ask(operation, mode, headers)
    assert asked > 20


def _ask(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    @STRICT
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
