"""Scenarios in which processes die: killed, replaced, upgraded, on PostgreSQL and on SQLite."""

import time
from dataclasses import replace

from tests.faults import servers
from tests.faults.chaos import Chaos, SmtpChaos
from tests.faults.environment import Result, World, reconciled
from tests.faults.killer import Aim, Killer
from tests.faults.workers import Crew, crew

#: Seconds for what is left when the hurting ends: under so many kills most of the work still lies ahead then.
PATIENCE = 600


def killed(world: World, *aims: Aim, share: float, pace: float, events: bool = False) -> Result:
    """S1, S2: kill -9 of random workers and children while the provider has a bad day, and tells events, if `events`."""
    smtp = world.purpose == "message"
    world.fake.rules = SmtpChaos(world.seed, share / 8) if smtp else Chaos(world.seed, share, pace)
    hands = [servers.worker(), servers.worker(), servers.beat()]
    with crew(world.environment, world.directory, *hands) as made:
        if not events:
            return _under_fire(world, made, aims)
        made.start(servers.web())
        with world.postman() as postman:
            return reconciled(world, postman, _under_fire(world, made, aims))


def _under_fire(world: World, made: Crew, aims: tuple[Aim, ...]) -> Result:
    servers.until(world.begun, 120)
    with Killer(made, world.ledger, world.seed, *aims, progress=lambda: len(world.fake.accepted)) as killer:
        servers.until(lambda: killer.enough() or world.ledger.done(), 900)
        killer.stop()
        recovered = servers.until(world.ledger.done, PATIENCE)
    return Result(world.verdict(), killer.kills, recovered, killer.recoveries, left=world.left(recovered))


def send_then_mark(world: World, kills: int, *, share: float, pace: float) -> Result:
    """The same for the negative control."""
    world.fake.rules = Chaos(world.seed, share, pace)
    app = "tests.faults.send_then_mark"
    hands = [servers.worker(app), servers.worker(app), servers.beat(app)]
    with crew(world.environment, world.directory, *hands) as made:
        return _under_fire(world, made, (Aim(kills),))


def rolled(world: World, rolls: int, *, pace: float, every: float) -> Result:
    """S3: workers are replaced one after the other by SIGTERM, `every` so many seconds."""
    world.fake.rules = Chaos(world.seed, 0, pace)
    with crew(world.environment, world.directory, servers.worker(), servers.worker(), servers.beat()) as made:
        servers.until(world.begun, 30)
        for _ in range(rolls):
            if world.ledger.done():
                break
            following = time.monotonic() + every
            made.roll()
            time.sleep(max(0, following - time.monotonic()))
        recovered = servers.until(world.ledger.done, 300)
    verdict = world.verdict()
    promises = {"nothing in doubt": verdict.unknown == 0, "somebody was replaced": bool(made.drains)}
    return Result(verdict, len(made.drains), recovered, made.drains, {}, promises, world.left(recovered))


def upgraded(world: World, rounds: int, *, pace: float) -> Result:
    """S21: while mails go out, the tables are migrated under workers that know nothing of the new columns; then those are
    replaced. It shows that changes which only add disturb nobody; an older release to be mixed in is not at hand."""
    world.fake.rules = Chaos(world.seed, 0, pace)
    hands = [servers.worker(), servers.worker(), servers.beat()]
    with crew(world.environment, world.directory, *hands) as made:
        servers.until(world.begun, 30)
        for number in range(rounds):
            for table in ("batch", "delivery", "attempt", "gate", "subscriber"):
                world.ledger.rows(f"ALTER TABLE {table} ADD COLUMN later_{number} integer")
            world.ledger.rows(f"CREATE INDEX later_{number} ON delivery (later_{number})")
            world.command("migrate")
            midway = world.ledger.open_batches()
            made.roll()
            made.roll()
        recovered = servers.until(world.ledger.done, 300)
    verdict = world.verdict()
    promises = {"nothing in doubt": verdict.unknown == 0, "it was in the middle of sending": bool(midway)}
    facts = {"migrations": rounds}
    return Result(verdict, len(made.drains), recovered, made.drains, facts, promises, world.left(recovered))


def on_sqlite(world: World, kills: int, *, share: float, pace: float, pause: tuple[float, float]) -> Result:
    """S20: one file, the service in one process and `once` beside it again and again, both killed."""
    world.fake.rules = Chaos(world.seed, share, pace)
    del world.environment["NEWSLETTER_BROKER_URL"]
    both = [["-m", "tests.faults.load", word] for word in ("run", "once")]
    with crew(world.environment, world.directory, *both) as made:
        result = _under_fire(world, made, (Aim(kills, whole=True, pause=pause),))
    whole = world.ledger.rows("PRAGMA integrity_check")[0][0]
    return replace(result, facts={"integrity_check": whole}, promises={"the file is whole": whole == "ok"})
