"""Scenarios in which Redis or PostgreSQL is hurt: emptied, killed, frozen, gone, full."""

import contextlib
import random
import time
from collections.abc import Iterator

import psycopg

from tests import services
from tests.faults import servers
from tests.faults.chaos import Chaos
from tests.faults.environment import Result, World
from tests.faults.visitor import Visitor
from tests.faults.workers import children, crew, kill


def without_redis(world: World, seconds: float, *, pace: float, rounds: int, frozen: float) -> Result:
    """S4: Redis is emptied, killed and started again, `frozen` for some seconds, and then gone for `seconds`."""
    world.fake.rules = Chaos(world.seed, 0, pace)
    hands = [servers.worker(), servers.worker(), servers.beat(), servers.web()]
    delays: list[float] = []
    with crew(world.environment, world.directory, *hands), Visitor(world.url) as visitor:
        servers.until(world.begun, 30)
        try:
            for _ in range(rounds):
                world.redis.command("FLUSHALL")
                world.redis.stop(kill=True)
                world.redis.start()
                delays += _next_mail(world)
            world.redis.freeze(True)
            began = time.monotonic()
            delays += _next_mail(world)
            time.sleep(max(0, began + frozen - time.monotonic()))
            world.redis.freeze(False)
            world.redis.stop(kill=True)
            before = world.taken()
            servers.until(world.ledger.done, seconds)
            meanwhile = world.taken() - before
            time.sleep(max(0, began + frozen + seconds - time.monotonic()))
        finally:
            world.redis.freeze(False)
            world.redis.start()
        recovered = servers.until(world.ledger.done, 180)
    verdict = world.verdict()
    facts = {"taken without Redis": meanwhile, "pages": visitor.told()}
    promises = {
        "all accepted": verdict.by_state == {"accepted": world.people},
        "mails go out without Redis": meanwhile > 0,
        "pages answer without Redis": visitor.errors == 0,
    }
    return Result(verdict, 2 * rounds + 2, recovered, delays, facts, promises, world.left(recovered))


def _next_mail(world: World) -> list[float]:
    """[seconds until the provider takes the next mail]; empty when all is done."""
    before = world.taken()
    waited = servers.until(lambda: world.taken() > before or world.ledger.done(), 90)
    return [waited] if waited is not None and world.taken() > before else []


def crashed_database(world: World, crashes: int, *, share: float, pace: float, frozen: float, full: float) -> Result:
    """S5: PostgreSQL is ended at once and started again in the middle of everything, frozen, and out of connections."""
    world.fake.rules = Chaos(world.seed, share, pace)
    chance = random.Random(world.seed)
    postgres = world.template.postgres
    assert postgres is not None
    hands = [servers.worker(), servers.worker(), servers.beat(), servers.web()]
    done, delays = 0, []
    with crew(world.environment, world.directory, *hands) as made, Visitor(world.url) as visitor:
        servers.until(world.begun, 30)
        while done < crashes and world.ledger.open_batches() != 0:
            time.sleep(chance.uniform(1, 3))
            postgres.crash()
            done += 1
            delays += _next_mail(world)
        postgres.freeze(True)
        time.sleep(frozen)
        postgres.freeze(False)
        delays += _next_mail(world)
        with _no_connection_left(postgres):
            for one in made.workers():  # whoever comes new finds no connection
                for child in children(one.pid):
                    kill(child)
            time.sleep(full)
        delays += _next_mail(world)
        recovered = servers.until(world.ledger.done, 300)
    facts = {"pages": visitor.told()}
    return Result(world.verdict(), done, recovered, delays, facts, {}, world.left(recovered))


@contextlib.contextmanager
def _no_connection_left(postgres: services.Postgres) -> Iterator[None]:
    """Take every connection that there is, and those that become free."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.enter_context(
                    psycopg.connect(postgres.url("postgres").replace("postgres:", "postgresql:", 1), connect_timeout=5)
                )
        yield
