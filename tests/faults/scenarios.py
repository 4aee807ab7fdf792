"""The scenarios: an installation, a provider, somebody who hurts one of them, and the judge's words at the end."""

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery

from tests import services
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.faults import ground
from tests.faults.chaos import Chaos, SmtpChaos
from tests.faults.judge import Verdict, judge, keys, taken
from tests.faults.ledger import Ledger

#: Seconds for what is left when the hurting ends: under so many kills most of the work still lies ahead then.
PATIENCE = 600


@dataclass
class World:
    """What a scenario has: servers, a database of its own, keys, and the provider's log."""

    template: ground.Template
    redis: services.Redis
    directory: Path
    seed: int
    fake: FakeSendGrid | SmtpCatcher
    purpose: str
    environment: dict[str, str]
    ledger: Ledger
    people: int

    @property
    def log(self) -> Path:
        return self.directory / "provider.log"

    def verdict(self) -> Verdict:
        vault = keys(Path(self.environment["NEWSLETTER_DATA_DIR"]))
        return judge(self.people, taken(self.log, vault, self.purpose), self.ledger)

    def command(self, *words: str) -> str:
        """A `newsletter` command in this installation."""
        return ground.python("-m", "newsletter", *words, environment=self.environment)


@dataclass(frozen=True)
class Result:
    """A line of the table."""

    verdict: Verdict
    kills: int = 0
    #: Seconds from the last hurt to the last mail, whatever was left to do then; None: it was not done in time.
    recovered: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@contextmanager
def world(
    template: ground.Template, redis: services.Redis, directory: Path, seed: int, *, smtp: bool = False
) -> Iterator[World]:
    """A fresh copy of the template, and a provider that is never killed."""
    directory.mkdir(parents=True, exist_ok=True)
    url, data = template.copy(directory)
    log = directory / "provider.log"
    redis.command("FLUSHALL")
    with ExitStack() as stack:
        fake: FakeSendGrid | SmtpCatcher
        if smtp:
            fake = stack.enter_context(SmtpCatcher(log=log))
            mail = {"NEWSLETTER_MAIL_URL": fake.url}
        else:
            fake = stack.enter_context(FakeSendGrid(log=log))
            mail = {
                "NEWSLETTER_MAIL_URL": "sendgrid:",
                "NEWSLETTER_SENDGRID_API_KEY": fake.key,
                "NEWSLETTER_SENDGRID_URL": fake.url,
            }
        made = ground.environment(data, NEWSLETTER_DATABASE_URL=url, NEWSLETTER_BROKER_URL=redis.url, **mail)
        purpose = "message" if smtp else "delivery"
        yield World(template, redis, directory, seed, fake, purpose, made, Ledger(url), template.people)


def killed(world: World, kills: int, *, share: float, pace: float, workers: int = 2, parents: float = 0.3) -> Result:
    """S1, S2: kill -9 of random workers and children while the provider has a bad day."""
    world.fake.rules = (
        SmtpChaos(world.seed, share / 8) if world.purpose == "message" else Chaos(world.seed, share, pace)
    )
    with ground.crew(world.environment, world.directory, *[ground.worker()] * workers, ground.beat()) as crew:
        with ground.Killer(crew, world.seed, parents=parents) as killer:
            ground.until(lambda: killer.kills >= kills or world.ledger.open_batches() == 0, 900)
        recovered = ground.until(ground.all_done(world.ledger), PATIENCE)
    return Result(world.verdict(), killer.kills, recovered, {"met": dict(world.fake.rules.met)})


def send_then_mark(world: World, kills: int, *, share: float, pace: float) -> Result:
    """The same for the negative control."""
    world.fake.rules = Chaos(world.seed, share, pace)
    app = "tests.faults.send_then_mark"
    with ground.crew(world.environment, world.directory, *[ground.worker(app)] * 2, ground.beat(app)) as crew:
        with ground.Killer(crew, world.seed) as killer:
            ground.until(lambda: killer.kills >= kills or world.ledger.open_batches() == 0, 900)
        recovered = ground.until(ground.all_done(world.ledger), PATIENCE)
    return Result(world.verdict(), killer.kills, recovered)


def rolled(world: World, rolls: int, *, pace: float) -> Result:
    """S3: workers are replaced one after the other, by SIGTERM."""
    world.fake.rules = Chaos(world.seed, 0, pace)
    with ground.crew(world.environment, world.directory, *[ground.worker()] * 2, ground.beat()) as crew:
        ground.until(lambda: world.log.exists(), 30)
        for _ in range(rolls):
            if world.ledger.open_batches() == 0:
                break
            crew.roll()
            time.sleep(2)
        recovered = ground.until(ground.all_done(world.ledger), 120)
        return Result(world.verdict(), len(crew.drains), recovered, {"drains": crew.drains})


def without_redis(world: World, seconds: float, *, pace: float, rounds: int = 1) -> Result:
    """S4: Redis is emptied, killed and started again, frozen, and gone for `seconds`."""
    world.fake.rules = Chaos(world.seed, 0, pace)
    done = ground.all_done(world.ledger)
    with ground.crew(world.environment, world.directory, *[ground.worker()] * 2, ground.beat()):
        ground.until(lambda: world.log.exists(), 30)
        try:
            for _ in range(rounds):
                world.redis.command("FLUSHALL")
                world.redis.stop(kill=True)
                world.redis.start()
                time.sleep(1)
            world.redis.freeze(True)
            time.sleep(min(seconds, 60) / 2)
            world.redis.freeze(False)
            world.redis.stop(kill=True)
            before = _lines(world.log)
            time.sleep(seconds)
            meanwhile = _lines(world.log) - before
            ground.until(done, 180)
        finally:
            world.redis.freeze(False)
            world.redis.start()
        recovered = ground.until(done, 120)
    return Result(world.verdict(), 2 * rounds + 2, recovered, {"sent without Redis": meanwhile})


def crashed_database(world: World, crashes: int, *, share: float, pace: float) -> Result:
    """S5: PostgreSQL is ended at once and started again, in the middle of everything."""
    world.fake.rules = Chaos(world.seed, share, pace)
    chance = random.Random(world.seed)
    postgres = world.template.postgres
    assert postgres is not None
    with ground.crew(world.environment, world.directory, *[ground.worker()] * 2, ground.beat()):
        ground.until(lambda: world.log.exists(), 30)
        done = 0
        while done < crashes and world.ledger.open_batches() != 0:
            time.sleep(chance.uniform(1, 3))
            postgres.crash()
            done += 1
        recovered = ground.until(ground.all_done(world.ledger), 120)
    return Result(world.verdict(), done, recovered)


def bad_provider(world: World) -> Result:
    """S6: a storm of 429, then 500 and 503, then a wrong key, until an operator opens the gate again."""
    fake = world.fake
    assert isinstance(fake, FakeSendGrid)
    fake.script("429", times=15, reset=1)
    fake.script("500", times=3)
    fake.script("503", skip=5, times=3)
    fake.script("401", skip=5)
    with ground.crew(world.environment, world.directory, ground.worker(), ground.beat()):
        shut = "SELECT 1 FROM provider_gate WHERE paused_by IS NOT NULL"
        closed = ground.until(lambda: bool(world.ledger.rows(shut)), 60)
        failed = [state for state in world.ledger.states().values() if state == "failed"]
        fake.rules.clear()
        fake.reset = None
        world.command("sending", "resume")
        recovered = ground.until(ground.all_done(world.ledger), 90)
    facts = {"closed": closed, "failed while closed": len(failed), "requests": len(fake.requests)}
    return Result(world.verdict(), 0, recovered, facts)


def doubtful_provider(world: World, share: float) -> Result:
    """S7: every sort of answer that leaves us in doubt; the judge knows how many were injected."""
    kinds = {"accept-500": 1, "accept-drop": 1, "accept-half": 1, "accept-cut": 1, "slow:1.6": 1, "drop": 1, "half": 1}
    chaos = Chaos(world.seed, share, 0.02, kinds)
    world.fake.rules = chaos
    with ground.crew(world.environment, world.directory, ground.worker(), ground.beat()):
        recovered = ground.until(ground.all_done(world.ledger), 120)
    requests = sum(times for mode, times in chaos.met.items() if mode in kinds)
    facts = {"injected": requests, "taken": sum(chaos.met[mode] for mode in kinds if mode not in ("drop", "half"))}
    return Result(world.verdict(), 0, recovered, facts)


def rung_too_often(world: World, times: int) -> Result:
    """S9: every task many times, in any order, with ids of nothing and of others, while the work goes on."""
    world.fake.rules = Chaos(world.seed, 0, 0.1)
    bells = Celery(broker=world.redis.url)
    bells.conf.broker_transport_options = {"global_keyprefix": "newsletter:"}
    calls: list[tuple[str, tuple[int, ...]]] = [
        (name, ()) for name in ("send", "recover", "match", "close", "slots", "notices", "compose_open", "prune")
    ]
    calls += [("compose", (number,)) for number in (0, 1, 7, 999_999)]
    with ground.crew(world.environment, world.directory, *[ground.worker()] * 2, ground.beat(), ground.beat()):
        for name, ids in random.Random(world.seed).sample(calls * times, len(calls) * times):
            bells.send_task(f"newsletter.{name}", args=ids, queue="newsletter")
        recovered = ground.until(ground.all_done(world.ledger), 90)
    return Result(world.verdict(), 0, recovered, {"rung": len(calls) * times})


def leaving(world: World, many: int) -> Result:
    """S18: people leave, or are erased, while mail is being handed over; nobody gets one whose barrier came after."""
    world.fake.rules = Chaos(world.seed, 0, 0.3)
    people = [number for (number,) in world.ledger.rows("SELECT id FROM subscriber ORDER BY id")]
    chosen = random.Random(world.seed).sample(people, many)
    left: dict[int, Any] = {}
    with ground.crew(world.environment, world.directory, ground.worker(), ground.beat()):
        ground.until(lambda: world.log.exists(), 30)
        for number in chosen:
            leave = f"UPDATE subscriber SET state='left' WHERE id={number}"
            erase = f"DELETE FROM subscription WHERE subscriber_id={number}; DELETE FROM subscriber WHERE id={number}"
            world.ledger.rows(leave if number % 2 else erase)
            left[number] = world.ledger.rows("SELECT clock_timestamp()")[0][0]
        recovered = ground.until(ground.all_done(world.ledger), 90)
    begun = world.ledger.rows(
        "SELECT d.subscriber_id, d.id, a.began_at FROM delivery d JOIN attempt a ON a.batch_id=d.batch_id"
    )
    log = taken(world.log, keys(Path(world.environment["NEWSLETTER_DATA_DIR"])), world.purpose)
    late = sum(d in log and who in left and at > left[who] for who, d, at in begun)
    verdict = world.verdict()
    return Result(
        verdict, 0, recovered, {"mailed after leaving": late, "cancelled": verdict.by_state.get("cancelled", 0)}
    )


def restored(world: World) -> Result:
    """S19: an installation that worked is set back to its backup; a copy of its directory is started beside it."""
    data = Path(world.environment["NEWSLETTER_DATA_DIR"])
    world.command("migrate")  # it begins to work: the mark moves
    postgres = world.template.postgres
    assert postgres is not None
    backup = postgres.new_database(template=world.environment["NEWSLETTER_DATABASE_URL"].rpartition("/")[2])
    world.command("migrate")
    clone = world.directory / "clone"
    shutil.copytree(data, clone)
    set_back = world.environment | {"NEWSLETTER_DATABASE_URL": backup}
    copied = set_back | {"NEWSLETTER_DATA_DIR": str(clone)}
    for name, hurt in (("back", set_back), ("copy", copied)):
        (world.directory / name).mkdir()
        with ground.crew(hurt, world.directory / name, ground.worker(), ground.beat()):
            time.sleep(8)
    before = _lines(world.log)
    world.environment |= set_back
    world.ledger = Ledger(backup)
    world.command("sending", "resume", "--confirm")
    with ground.crew(world.environment, world.directory, ground.worker(), ground.beat()):
        recovered = ground.until(ground.all_done(world.ledger), 60)
    return Result(world.verdict(), 0, recovered, {"sent before confirmation": before})


def on_sqlite(world: World, kills: int, *, share: float, pace: float) -> Result:
    """S20: one file, the service in one process and `once` beside it again and again, both killed."""
    world.fake.rules = Chaos(world.seed, share, pace)
    del world.environment["NEWSLETTER_BROKER_URL"]
    world.environment["NEWSLETTER_BIND"] = f"127.0.0.1:{services.free_port()}"
    both = [["-m", "tests.faults.rush", word] for word in ("run", "once")]
    with ground.crew(world.environment, world.directory, *both) as crew:
        with ground.Killer(crew, world.seed, parents=1, pause=(3, 5)) as killer:
            ground.until(lambda: killer.kills >= kills or world.ledger.open_batches() == 0, 900)
        recovered = ground.until(ground.all_done(world.ledger), 90)
    whole = world.ledger.rows("PRAGMA integrity_check")[0][0]
    return Result(world.verdict(), killer.kills, recovered, {"integrity_check": whole})


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0
