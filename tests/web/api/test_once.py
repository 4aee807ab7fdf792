"""The same request with the same key is carried out once."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from newsletter.admins import keyed_answers
from newsletter.lib import db
from newsletter.models import ApiToken, KeyedAnswer, Topic
from tests.web.api.conftest import ApiClient, make_token

BODY = {"name": "Cable", "query": "cable"}


def send(call: ApiClient, body: Any, key: str = "word") -> Any:
    return call.client.post(
        "/api/v1/topics", json.dumps(body), content_type="application/json", headers={"Idempotency-Key": key}
    )


def test_a_request_that_is_sent_again_is_answered_as_before(api) -> None:
    call = api()
    first, again = send(call, BODY), send(call, BODY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and "Idempotent-Replayed" not in first
    assert again.headers["Idempotent-Replayed"] == "true" and Topic.objects.count() == 1
    other = send(call, BODY | {"name": "Wire"})
    assert other.status_code == 409 and "another request" in other.json()["detail"]
    assert send(call, BODY, "other").status_code == 409, "a topic of that name exists"
    assert send(call, BODY | {"name": "Wire"}, "other").status_code == 201, "nothing was done with that key"
    assert send(call, BODY, "two words").status_code == 422


def test_keys_of_two_tokens_are_two(api) -> None:
    assert send(api(), BODY).status_code == 201
    assert send(ApiClient(make_token("topics", name="second")), BODY).status_code == 409


@pytest.mark.django_db
def test_a_request_under_way_is_not_begun_again_and_a_key_lives_for_a_day() -> None:
    make_token("read")
    token, now = ApiToken.objects.get(), db.now()
    first = keyed_answers.begin(token, "k", b"r", now=now)
    assert isinstance(first, keyed_answers.FirstRequest)
    assert "at this moment" in keyed_answers.begin(token, "k", b"r", now=now).reason
    keyed_answers.keep(first, 200, "{}")
    assert keyed_answers.begin(token, "k", b"r", now=now) == keyed_answers.RepeatedRequest(200, "{}")
    later = now + keyed_answers.KEPT + timedelta(seconds=1)
    assert isinstance(keyed_answers.begin(token, "k", b"r", now=later), keyed_answers.FirstRequest)
    assert KeyedAnswer.objects.count() == 1


def test_what_is_stored_of_a_request_confirms_no_guessed_address(api) -> None:
    """A stolen database must not say whether somebody was added or erased."""
    body = json.dumps({"address": "canary7f3a@example.org"})
    options = {"content_type": "application/json", "headers": {"Idempotency-Key": "word"}}
    assert api("people").client.post("/api/v1/suppressions", body, **options).status_code == 201
    guess = f"POST /api/v1/suppressions\n{body}".encode()
    stored = bytes(KeyedAnswer.objects.get().request_hash)
    assert stored not in (hashlib.sha256(guess).digest(), hashlib.sha256(hashlib.sha256(guess).digest()).digest())
