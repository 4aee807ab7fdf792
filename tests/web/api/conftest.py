"""Tokens of the API, and clients that send them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from newsletter.admins import tokens
from newsletter.lib import db
from newsletter.models import IndexState
from tests import factories
from tests.factories import ACTOR


def make_token(*scopes: str, name: str = "") -> str:
    made = tokens.create(name or "-".join(scopes), scopes, actor=ACTOR, now=db.now())
    assert isinstance(made, tokens.NewToken), made
    return made.secret


class ApiClient:
    """Sends JSON with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"}, enforce_csrf_checks=True)

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """(status, document) of an answer."""
        options = {} if body is None else {"data": body, "content_type": "application/json"}
        answer = getattr(self.client, method.lower())(f"/api/v1{path}", **options)
        return answer.status_code, answer.json()


@pytest.fixture
def api(db: None) -> Callable[..., ApiClient]:
    """A client with these scopes."""
    IndexState.objects.get_or_create(id=1)
    factories.open_gate()

    def client(*scopes: str) -> ApiClient:
        return ApiClient(make_token(*(scopes or ("read", "topics", "items", "sending"))))

    return client


def operations() -> Sequence[tuple[str, str, str]]:
    """(method, path, scope) of every operation, from the description."""
    from newsletter.web.api.urls import api

    paths = api.get_openapi_schema()["paths"]
    return [
        (method.upper(), path, operation["x-scope"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]
