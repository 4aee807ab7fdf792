"""Scenarios in which everything is said more than once: slots by several beats, tasks by many bells."""

import random
import time
from datetime import UTC, datetime, timedelta

from celery import Celery

from tests.faults import servers
from tests.faults.chaos import Chaos
from tests.faults.environment import Result, World
from tests.faults.workers import Crew, crew, kill_group


def beaten(world: World, beats: tuple[int, ...], *, every: float, aside: float = 0.1) -> Result:
    """S8: slot after slot comes due, first two beats ring them, then five; one is killed at each edge, `aside` seconds off."""
    chance = random.Random(world.seed)
    rhythms = [number for (number,) in world.ledger.rows("SELECT DISTINCT daily_rhythm_id FROM subscriber")]
    kills = 0
    with crew(world.environment, world.directory, servers.worker(), *[servers.beat()] * beats[0]) as made:
        servers.until(lambda: len(made.those("beat")) == beats[0], 30)
        edges = _edges(world, rhythms, every)
        for number, edge in enumerate(edges):
            if number == len(edges) // 2:
                made.start(*[servers.beat()] * (beats[1] - beats[0]))
            time.sleep(max(0, (edge - datetime.now(UTC)).total_seconds() + chance.uniform(-aside, aside)))
            kills += _kill_one(made, chance)
        recovered = servers.until(world.done, 120)
    slots = world.ledger.rows(
        "SELECT rhythm_id, count(*), count(composed_at), sum(skipped::int) FROM gathering "
        f"WHERE rhythm_id IN ({','.join(map(str, rhythms))}) GROUP BY 1"  # weekly ones may come due on a day like today
    )
    promises = {
        "no slot is missing": {row[0] for row in slots} == set(rhythms),
        "one gathering for each slot": all(row[1:] == (1, 1, 0) for row in slots),
        "everybody got their digest": world.verdict().by_state == {"accepted": world.people},
    }
    facts = {"slots": len(rhythms), "beats": "then ".join(f"{number} " for number in beats).strip()}
    return Result(world.verdict(), kills, recovered, [], facts, promises, world.left(recovered))


def _edges(world: World, rhythms: list[int], every: float) -> list[datetime]:
    """Let the slots come due one after the other; returns when."""
    first = datetime.now(UTC) + timedelta(seconds=3)
    edges = [first + timedelta(seconds=every * number) for number in range(len(rhythms))]
    for number, edge in zip(rhythms, edges, strict=True):
        world.ledger.rows(f"UPDATE rhythm SET due_at='{edge.isoformat()}' WHERE id={number}")
    return edges


def _kill_one(made: Crew, chance: random.Random) -> bool:
    living = made.those("beat")
    if living:
        kill_group(chance.choice(living))
    return bool(living)


def rung_too_often(world: World, times: int) -> Result:
    """S9: every task many times, in any order, with ids of nothing and of others, while the work goes on."""
    world.fake.rules = Chaos(world.seed, 0, 0.1)
    bells = Celery(broker=world.redis.url)
    bells.conf.broker_transport_options = {"global_keyprefix": "newsletter:"}
    calls: list[tuple[str, tuple[int, ...]]] = [
        (name, ())
        for name in ("send", "recover", "match", "close", "slots", "notices", "compose_open", "prune", "hear")
    ]
    calls += [("compose", (number,)) for number in (0, 1, 7, 999_999)]
    hands = [servers.worker(), servers.worker(), servers.beat(), servers.beat()]
    with crew(world.environment, world.directory, *hands):
        for name, ids in random.Random(world.seed).sample(calls * times, len(calls) * times):
            bells.send_task(f"newsletter.{name}", args=ids, queue="newsletter")
        recovered = servers.until(world.ledger.done, 180)
    verdict = world.verdict()
    facts = {"bells": len(calls) * times, "requests": len(world.sendgrid.requests)}
    promises = {"all accepted": verdict.by_state == {"accepted": world.people}}
    return Result(verdict, 0, recovered, [], facts, promises, world.left(recovered))
