"""What these doors are given in tests: keys, a clock, slots, own topics."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from newsletter.lib.crypto import Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import Cadence, Notice, Subscriber, Topic
from newsletter.subscribers import confirm
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.sign_up import sign_up

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
VAULT = Vault(b"a secret for tests only", {1: bytes(range(32))}, bytes(range(32, 64)))
ANNA = Address("anna@example.org")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def next_due(cadence: Cadence, zone: str, hour: int, weekday: int, after: datetime) -> datetime:
    """The slots room has its own tests: here any coming moment will do."""
    return after + timedelta(hours=1 + hour, days=7 if cadence == Cadence.WEEKLY else 0)


def own_topic(word: str) -> int:
    index = VAULT.blind_index("query", word.casefold())
    key_id, cipher = VAULT.encrypt(word, handle=index, column="query")
    return Topic.objects.get_or_create(
        kind="own", query_index=index, defaults={"query_cipher": cipher, "key_id": key_id, "created_at": NOW}
    )[0].id


def topic(name: str = "Uyghur") -> Topic:
    return Topic.objects.create(kind="curated", name=name, slug=name.lower(), created_at=NOW)


def ask(choices: Choices, address: Address = ANNA, now: datetime = NOW) -> Notice | None:
    """Sign up; the notice that was written, if one was."""
    done = sign_up(address, choices, now=now, vault=VAULT, next_due=next_due)
    return Notice.objects.get(id=done.notice_id) if done.notice_id else None


def token(notice: Notice) -> str:
    return VAULT.token("notice", notice.id, bytes(notice.nonce))


def lasting(purpose: str, person: Subscriber) -> str:
    return VAULT.token(purpose, person.id, person.link_epoch.to_bytes(2) + bytes(6))


def doors(now: datetime = NOW) -> dict:
    return {"now": now, "vault": VAULT}


def press(token: str, shown: str | None = None, **means: Any) -> object:
    """Press the button of a confirmation on a page that was just loaded, or of one that showed `shown`."""
    found = confirm.look(token, now=means["now"], vault=VAULT)
    if shown is None:
        shown = found.fingerprint if isinstance(found, confirm.Open) else ""
    return confirm.press(token, shown, **means)


def pressing(now: datetime = NOW) -> dict:
    return {"now": now, "vault": VAULT, "own_topic": own_topic, "next_due": next_due}


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """What each piece of work returned, all of them run at the same time, each on a connection of its own."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("threads that share an in-memory SQLite do not wait for each other: needs a file or PostgreSQL")
    answers: list[object] = []

    def run(work: Callable[[], object]) -> None:
        try:
            answers.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
