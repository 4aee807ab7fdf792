"""Chunks of a gathering: concurrent and killed composers on a real database; a chunk is sent while the next is composed."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from newsletter.editions import compose, gatherings
from newsletter.editions.owed import audience
from newsletter.models import Batch, Cadence, Delivery, DeliveryItem, Edition, Gathering, Subscriber
from tests import factories

NOW = factories.NOW


def _alert(people: int = 12) -> int:
    red, blue = factories.topic("Red"), factories.topic("Blue")
    for number in range(people):
        person = factories.subscriber()
        factories.follow(person, red if number % 3 else blue)
        if number % 4 == 0:
            factories.follow(person, blue if number % 3 else red)
    first, second = factories.item("One"), factories.item("Two")
    factories.match(first, red), factories.match(second, blue)
    gathering = gatherings.close_alert_gathering(now=NOW, wait=timedelta(0))
    assert gathering is not None
    return gathering


def _each_once(people: int) -> None:
    assert Counter(Delivery.objects.values_list("subscriber_id", flat=True)).most_common(1)[0][1] == 1
    assert Delivery.objects.count() == people
    assert DeliveryItem.objects.count() == people + len(range(0, people, 4))
    assert sum(Batch.objects.values_list("size", flat=True)) == people
    assert gatherings.unfinished_gatherings() == ()


@pytest.mark.django_db(transaction=True)
def test_concurrent_composers_plan_everybody_once(composer: compose.Composer) -> None:
    gathering = _alert()
    start, failed = threading.Barrier(3), []

    def work() -> None:
        try:
            start.wait()
            compose.compose(gathering, composer, clock=lambda: NOW, chunk=2)
        except Exception as error:  # noqa: BLE001 - reported by the test's own thread
            failed.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    _each_once(12)


class Killed(BaseException):
    """Ends the composer like a signal: no handler catches it."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at", ["between chunks", "before the commit"])
def test_work_of_a_killed_composer_is_resumed(composer: compose.Composer, at: str, monkeypatch) -> None:
    gathering = _alert()
    calls: list[object] = []

    def killed(*_args: object, **_kwargs: object) -> None:
        calls.append(None)
        if len(calls) == 2:
            raise Killed

    def planned_and_killed(**values: object) -> tuple[int, ...]:
        made = composer.plan(**values)
        killed()
        return made

    with pytest.raises(Killed):
        if at == "between chunks":
            compose.compose(gathering, composer, clock=lambda: NOW, chunk=3, planned=killed)
        else:
            fragile = compose.Composer(composer.renderer, composer.explainer, composer.vault, planned_and_killed)
            compose.compose(gathering, fragile, clock=lambda: NOW, chunk=3)
    done = 6 if at == "between chunks" else 3
    assert Delivery.objects.count() == done
    assert gatherings.unfinished_gatherings() == (gathering,)
    compose.compose(gathering, composer, clock=lambda: NOW, chunk=5)
    _each_once(12)


@pytest.mark.django_db(transaction=True)
def test_chunk_can_be_sent_before_the_next_is_composed(composer: compose.Composer) -> None:
    seen: list[tuple[int, int, bool]] = []

    def planned(batch_ids: object) -> None:
        assert not connection.in_atomic_block
        upto = Gathering.objects.get().composed_upto
        seen.append(
            (len(batch_ids), Delivery.objects.count(), Delivery.objects.filter(subscriber_id__gt=upto).exists())
        )

    compose.compose(_alert(7), composer, clock=lambda: NOW, chunk=3, planned=planned)
    assert [count for _, count, _ in seen] == [3, 6, 7]
    assert not any(beyond for _, _, beyond in seen)
    assert sum(batches for batches, _, _ in seen) == Batch.objects.count()


@pytest.mark.django_db
def test_edition_is_rendered_once_across_chunks(composer: compose.Composer, monkeypatch) -> None:
    rendered: list[object] = []
    render_letter = composer.renderer.render_letter
    monkeypatch.setattr(
        composer.renderer,
        "render_letter",
        lambda *args, **kwargs: rendered.append(args) or render_letter(*args, **kwargs),
    )
    compose.compose(_alert(), composer, clock=lambda: NOW, chunk=2)
    assert len(rendered) == Edition.objects.count() == 3


@pytest.mark.django_db
def test_chunk_shrinks_when_every_mail_is_different(composer: compose.Composer, monkeypatch) -> None:
    monkeypatch.setattr(compose, "MOST_EDITIONS", 2)
    at_once: list[int] = []
    store = compose.store_editions
    monkeypatch.setattr(
        compose, "store_editions", lambda drafts, *rest: at_once.append(len(drafts)) or store(drafts, *rest)
    )
    rhythm = factories.rhythm(Cadence.DAILY, hour=9, due_at=NOW)
    for number in range(9):
        topic = factories.topic(f"T{number}")
        factories.follow(factories.subscriber(daily_rhythm=rhythm), topic, Cadence.DAILY)
        factories.match(factories.item(f"Item {number}"), topic)
    for gathering in gatherings.open_due_digests(now=NOW):
        compose.compose(gathering, composer, clock=lambda: NOW, chunk=16)
    assert Delivery.objects.count() == Edition.objects.count() == 9
    assert max(at_once) <= 2


@pytest.mark.django_db
def test_audience_is_estimated_from_a_chunk() -> None:
    gathering = Gathering.objects.get(id=_alert(12))
    last = Subscriber.objects.latest("id").id
    assert audience(gathering, 3, lo=last - 6, hi=last) == 3 * last // 6
