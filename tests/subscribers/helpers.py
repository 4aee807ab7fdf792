"""What the tests of subscribers share: keys, a clock, slots, keyword topics, and a person's steps."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Cadence, Notice, Subscriber, Subscription, Topic
from newsletter.subscribers import confirm
from newsletter.subscribers.admin_subscribe import subscribe_directly
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.sign_up import sign_up
from newsletter.subscribers.subscribing import Subscribing
from tests.factories import ACTOR

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
VAULT = Vault(b"a secret for tests only", {1: bytes(range(32))}, bytes(range(32, 64)))
ANNA = Address("anna@example.org")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def next_due(cadence: Cadence, zone: str, hour: int, weekday: int, after: datetime) -> datetime:
    """`digest_schedule` has its own tests: here any coming moment will do."""
    return after + timedelta(hours=1 + hour, days=7 if cadence == Cadence.WEEKLY else 0)


def keyword_topic(keyword: str) -> int:
    index = VAULT.blind_index("query", keyword.casefold())
    key_id, cipher = VAULT.encrypt(keyword, handle=index, column="query")
    return Topic.objects.get_or_create(
        kind="own", query_index=index, defaults={"query_cipher": cipher, "key_id": key_id, "created_at": NOW}
    )[0].id


def topic(name: str = "Uyghur") -> Topic:
    return Topic.objects.create(kind="curated", name=name, slug=name.lower(), created_at=NOW)


def ask(choices: Choices, address: Address = ANNA, now: datetime = NOW) -> Notice | None:
    """Sign up; returns the notice that was written, if one was."""
    signed_up = sign_up(address, choices, subscribing(now))
    return Notice.objects.get(id=signed_up.notice_id) if signed_up.notice_id else None


def add(choices: Choices, *, confirmed: bool, now: datetime = NOW) -> object:
    """Subscribe ANNA as the command does."""
    return subscribe_directly(ANNA, choices, subscribing(now), confirmed=confirmed, source="command", actor=ACTOR)


def token(notice: Notice) -> str:
    return VAULT.token("notice", notice.id, bytes(notice.nonce))


def lasting(purpose: str, person: Subscriber) -> str:
    return VAULT.token(purpose, person.id, person.link_epoch.to_bytes(2) + bytes(6))


def live() -> QuerySet[Subscription]:
    """The subscriptions that have not ended."""
    return Subscription.objects.filter(ended_at=None)


def now_and_vault(now: datetime = NOW) -> dict[str, Any]:
    return {"now": now, "vault": VAULT}


def subscribing(now: datetime = NOW) -> Subscribing:
    return Subscribing(now, VAULT, keyword_topic, next_due)


def press(token: str, now: datetime = NOW, *, fingerprint: str | None = None) -> object:
    """Press the button of a confirmation on a page that was just loaded, or of one whose preview had `fingerprint`."""
    preview = confirm.preview_confirmation(token, now=now, vault=VAULT)
    if fingerprint is None:
        fingerprint = preview.fingerprint if isinstance(preview, confirm.ConfirmationPreview) else ""
    return confirm.confirm(token, fingerprint, subscribing(now))


def cancel_nothing(subscriber_id: int, topic_id: int) -> None:
    """Nothing is planned in these tests."""


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Run all of `works` at the same time, each on a connection of its own; returns what each returned."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("threads that share an in-memory SQLite do not wait for each other: needs a file or PostgreSQL")
    results: list[object] = []

    def run(work: Callable[[], object]) -> None:
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
