"""Scenarios about people: many are mailed at once, some leave meanwhile, and data is restored or copied."""

import random
import shutil
import time
from pathlib import Path
from typing import Any

from tests.faults import servers
from tests.faults.chaos import Chaos
from tests.faults.checker import taken
from tests.faults.environment import Result, World
from tests.faults.killer import Aim, Killer
from tests.faults.ledger import Ledger
from tests.faults.visitor import Visitor
from tests.faults.workers import crew


def many(world: World, kills: int) -> Result:
    """S15, in small: an item meets a topic that everybody follows; composed, planned and sent while workers are killed."""
    hands = [servers.worker(), servers.worker(), servers.beat(), servers.web()]
    peak = 0
    with (
        crew(world.environment, world.directory, *hands) as made,
        Visitor(world.url) as visitor,
        Killer(made, world.ledger, world.seed, Aim(kills, pause=(0.3, 0.8))) as killer,
    ):

        def over() -> bool:
            nonlocal peak
            peak = max(peak, made.memory("worker"))
            return world.done()

        recovered = servers.until(over, 600)
    facts = {"largest worker": f"{peak // 1_000_000} MB", "pages": visitor.told()}
    return Result(world.verdict(), killer.kills, recovered, killer.recoveries, facts, {}, world.left(recovered))


def leaving(world: World, many: int) -> Result:
    """S18: people leave, or are erased, while mail is being handed over; nobody gets one whose barrier came after."""
    world.fake.rules = Chaos(world.seed, 0, 0.2)
    people = [number for (number,) in world.ledger.rows("SELECT id FROM subscriber ORDER BY id")]
    left: dict[int, Any] = {}
    with crew(world.environment, world.directory, servers.worker(), servers.beat()):
        servers.until(world.begun, 30)
        for number in random.Random(world.seed).sample(people, many):
            leave = f"UPDATE subscriber SET state='left' WHERE id={number}"
            erase = f"DELETE FROM subscription WHERE subscriber_id={number}; DELETE FROM subscriber WHERE id={number}"
            world.ledger.rows(leave if number % 2 else erase)
            left[number] = world.ledger.rows("SELECT clock_timestamp()")[0][0]
        recovered = servers.until(world.ledger.done, 180)
    begun = world.ledger.rows(
        "SELECT d.subscriber_id, d.id, a.began_at FROM delivery d JOIN attempt a ON a.batch_id=d.batch_id"
    )
    log = taken(world.log, world.vault, world.purpose)
    late = sum(d in log and who in left and at > left[who] for who, d, at in begun)
    verdict = world.verdict()
    cancelled = verdict.by_state.get("cancelled", 0)
    facts = {"left": many, "cancelled": cancelled}
    promises = {"nobody is mailed whose barrier came later": late == 0, "some left in time": cancelled > 0}
    return Result(verdict, 0, recovered, [], facts, promises, world.left(recovered))


def restored(world: World, seconds: float) -> Result:
    """S19: an installation that worked is set back to its backup; copies of its directory and its database are started."""
    data = Path(world.environment["NEWSLETTER_DATA_DIR"])
    world.command("migrate")  # it begins to work: the mark moves
    postgres = world.template.postgres
    assert postgres is not None
    here = world.environment["NEWSLETTER_DATABASE_URL"].rpartition("/")[2]
    backup = postgres.new_database(template=here)
    world.command("migrate")
    cloned = postgres.new_database(template=here)
    clone = world.directory / "clone"
    shutil.copytree(data, clone)
    set_back = world.environment | {"NEWSLETTER_DATABASE_URL": backup}
    copied = world.environment | {"NEWSLETTER_DATA_DIR": str(clone)}
    new = _only_keys(data, world.directory / "new")
    further = {"NEWSLETTER_DATA_DIR": str(new)}
    waits = _waits(world, world.environment | {"NEWSLETTER_DATABASE_URL": cloned} | further, new, seconds)
    closed = [_starts(world, name, hurt, seconds) for name, hurt in (("back", set_back), ("copy", copied))]
    before = world.taken()
    world.environment |= set_back
    world.ledger = Ledger(backup)
    world.command("sending", "resume", "--confirm")
    with (
        crew(world.environment, world.directory, servers.worker(), servers.beat()),
        crew(set_back | further, new, servers.worker()),
    ):
        recovered = servers.until(world.ledger.done, 120)
        joined = servers.until((new / "installation").exists, 60)
    verdict = world.verdict()
    promises = {
        "both close by themselves": all(closed),
        "a database cloned a moment ago waits": waits,
        "a further host joins by itself": joined is not None,
        "nothing is sent before it is confirmed": before == 0,
        "all accepted after that": verdict.by_state == {"accepted": world.people},
    }
    return Result(verdict, 0, recovered, [], {}, promises, world.left(recovered))


def _only_keys(data: Path, directory: Path) -> Path:
    directory.mkdir()
    shutil.copy2(data / "keys", directory / "keys")
    return directory


def _waits(world: World, environment: dict[str, str], directory: Path, seconds: float) -> bool:
    """Start it as a host that is new to the data; whether it waits, and has sent nothing after a while."""
    with crew(environment, directory, servers.worker(), servers.beat()) as made:
        told = servers.until(lambda: "host_waits" in made.told(), 60)
        time.sleep(seconds + 3)
    return told is not None and world.taken() == 0


def _starts(world: World, name: str, environment: dict[str, str], seconds: float) -> bool:
    """Start it as if nothing were, and leave it running for a while; whether it closed its gate."""
    (world.directory / name).mkdir()
    ledger = Ledger(environment["NEWSLETTER_DATABASE_URL"])
    with crew(environment, world.directory / name, servers.worker(), servers.beat()):
        closed = servers.until(lambda: ledger.asked("SELECT sending_open FROM gate") == [(False,)], 30)
        time.sleep(seconds)
    return closed is not None
