"""The database itself refuses what must not be: illegal changes of state, second hand-overs, two live subscriptions."""

import re
from datetime import timedelta
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from newsletter.lib import db
from newsletter.models import Attempt, Batch, BatchState, Delivery, DeliveryState, Match, Pulse, Subscription, Topic
from newsletter.models.states import BATCH_TRANSITIONS, DELIVERY_TRANSITIONS
from tests import factories

pytestmark = pytest.mark.django_db
NOW = factories.NOW
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("before", "after"), [pair for pair in product(BatchState, repeat=2) if pair[0] != pair[1]])
def test_a_batch_changes_only_as_it_may(before: BatchState, after: BatchState) -> None:
    batch = Batch.objects.create(provider=1, lane=1, state=before, not_before=NOW, size=1)
    if (before, after) in BATCH_TRANSITIONS:
        Batch.objects.filter(id=batch.id).update(state=after)
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            Batch.objects.filter(id=batch.id).update(state=after)
        assert Batch.objects.get().state == before


@pytest.mark.parametrize(
    ("before", "after"), [pair for pair in product([None, *DeliveryState], repeat=2) if pair[0] != pair[1]]
)
def test_a_delivery_changes_only_as_it_may(before: DeliveryState | None, after: DeliveryState | None) -> None:
    factories.planned(1)
    if before is not None:
        Delivery.objects.update(state=before)
    if (before, after) in DELIVERY_TRANSITIONS:
        Delivery.objects.update(state=after)
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            Delivery.objects.update(state=after)


def test_a_second_attempt_needs_a_disproof_or_a_name() -> None:
    (batch_id,) = factories.planned(1).batch_ids
    Attempt.objects.create(batch_id=batch_id, n=1, provider=1, began_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(batch_id=batch_id, n=2, provider=1, began_at=NOW)
    Attempt.objects.update(disproved=True)
    Attempt.objects.create(batch_id=batch_id, n=2, provider=1, began_at=NOW)


def test_one_live_subscription_per_person_and_topic() -> None:
    who, what = factories.subscriber(), factories.topic()
    factories.follow(who, what)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.follow(who, what)
    Subscription.objects.update(ended_at=NOW)
    factories.follow(who, what)


def test_a_match_is_owed_only_while_the_item_is_young() -> None:
    match = factories.match(factories.item(), factories.topic())
    with pytest.raises(IntegrityError), transaction.atomic():
        Match.objects.filter(id=match.id).update(owed_at=match.owe_until + timedelta(seconds=1))


def test_a_topic_is_curated_with_a_name_or_own_without() -> None:
    for wrong in ({"kind": "own", "name": "x"}, {"kind": "curated"}, {"kind": "own"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Topic.objects.create(created_at=NOW, **wrong)


def test_many_rows_at_once_are_stored_as_the_orm_stores_them() -> None:
    db.insert("pulse", ("name", "at"), [("a", NOW), ("b", NOW + timedelta(microseconds=1))])
    assert dict(Pulse.objects.values_list("name", "at")) == {"a": NOW, "b": NOW + timedelta(microseconds=1)}
    assert db.rows("SELECT name FROM pulse WHERE at>%s", [NOW]) == [("b",)]
    with pytest.raises(IntegrityError), transaction.atomic():
        db.insert("pulse", ("name", "at"), [("a", NOW)])
    who = factories.subscriber()
    assert db.rows("SELECT id FROM subscriber WHERE handle=%s", [who.handle]) == [(who.id,)]
    assert db.rows("SELECT id FROM subscriber WHERE handle=%s", [uuid4()]) == []


def test_migrations_are_those_of_the_models() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_package_never_imports_what_a_wheel_does_not_carry() -> None:
    for path in (ROOT / "newsletter").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (worker|beat_schedule|tests)\b", path.read_text(), re.MULTILINE), path


def test_no_line_names_a_package_index_or_a_path_of_one_machine() -> None:
    hosts = re.compile(
        "|".join(("py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.", "/wo" + "rk/", r"(?<!\w)/ho" + "me/"))
    )
    for pattern in (
        "newsletter/**/*.py",
        "tests/**/*.py",
        "docs/**/*.md",
        "*.md",
        "*.sh",
        "*.toml",
        "*.lock",
        "*.yml",
        "templates/**/*.j2",
    ):
        for path in ROOT.glob(pattern):
            assert not hosts.search(path.read_text()), path
