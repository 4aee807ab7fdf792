"""Scenarios in which a sending process is hurt in the middle of an SMTP window: killed, lost with its host, cut off, stopped."""

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.rules import Rule
from tests.faults import servers
from tests.faults.checker import Verdict, taken
from tests.faults.environment import Result, World
from tests.faults.proxy import Proxy
from tests.faults.workers import Crew, children, crew, kill

#: Batches of which a window is open, with the process that sends it.
_OPEN = """
SELECT w.pid, b.id, b.token, b.begun_upto, coalesce(b.done_upto, 0) FROM batch b JOIN worker w ON w.id=b.worker_id
WHERE b.state='sending' AND b.begun_upto>coalesce(b.done_upto, 0)"""
#: Seconds that a mail which had not left may take to leave after its worker was hurt, for 99 of 100.
TARGET = 30.0


@dataclass
class Hurt:
    """One process that was hurt in a window, and what became of the mails of its batch that had not left."""

    at: float
    token: str
    batch_id: int
    window: int
    untouched: set[int]
    #: Seconds until the batch was out of its hands.
    recovered: float | None = None
    #: Seconds until each mail that had not left was taken by the provider.
    left: list[float] = field(default_factory=list)


class Ward:
    """Who was hurt, followed until all their mails have left."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.hurt: list[Hurt] = []

    def windows(self, pids: Sequence[int]) -> list[Hurt]:
        """The open windows of these processes at this moment."""
        found = self._world.ledger.asked(_OPEN) or []
        mine = [row for row in found if row[0] in pids]
        return [self._seen(*row[1:]) for row in mine]

    def _seen(self, batch_id: int, token: Any, begun: int, done: int) -> Hurt:
        ids = self._world.ledger.rows(
            f"SELECT id FROM delivery WHERE batch_id={batch_id} AND state IS NULL AND id>{done}"
        )
        ahead = {number for (number,) in ids if number > begun}
        return Hurt(time.monotonic(), str(token), batch_id, len(ids) - len(ahead), ahead)

    def add(self, hurt: Sequence[Hurt]) -> None:
        self.hurt += hurt

    def follow(self) -> bool:
        """Look how far they are; True when nothing is left to wait for."""
        open_ones = [one for one in self.hurt if one.recovered is None or one.untouched]
        if not open_ones:
            return True
        held = self._world.ledger.held() or frozenset()
        out = taken(self._world.log, self._world.vault, self._world.purpose)
        now = time.monotonic()
        for one in open_ones:
            if one.recovered is None and (one.batch_id, one.token) not in held:
                one.recovered = now - one.at
            gone = one.untouched & set(out)
            one.left += [now - one.at] * len(gone)
            one.untouched -= gone
        return False

    def facts(self, verdict: Verdict) -> dict[str, Any]:
        """For the table: how long untouched mails took, how many are in doubt for each process that was hurt."""
        left = [seconds for one in self.hurt for seconds in one.left]
        return {
            "windows hit": len(self.hurt),
            "mails in them": sum(one.window for one in self.hurt),
            "in doubt for each": round(verdict.unknown / max(1, len(self.hurt)), 1),
            "mails that had not left": len(left),
            "they left after (p50/p99 s)": " / ".join(f"{one:.1f}" for one in _p50_p99(left)),
        }

    def promises(self) -> dict[str, bool]:
        left = [seconds for one in self.hurt for seconds in one.left]
        return {
            "windows were hit": bool(self.hurt),
            "what had not left leaves within 30 s (p99)": bool(left) and _p50_p99(left)[1] <= TARGET,
        }


def killed(world: World, kills: int, *, slow: float, app: str = "worker") -> Result:
    """S25: kill -9 of a child, or of a whole worker, always while its window is open at a slow mail server."""
    _slow(world, slow)
    chance = random.Random(world.seed)
    ward, done = Ward(world), 0
    hands = [servers.worker(app), servers.worker(app), servers.beat(app)]
    with crew(world.environment, world.directory, *hands) as made:
        servers.until(world.begun, 120)
        while done < kills and not world.ledger.done():
            time.sleep(chance.uniform(0.5, 2))
            if not ward.follow():
                continue  # one after the other: else a slow machine would show nothing but workers that start
            parent, child = _sending(world, made, ward, chance)
            if child is None:
                continue
            whole = chance.random() < 0.3
            seen = ward.windows(children(parent) if whole else [child])
            if seen and kill(parent if whole else child):
                ward.add(seen)
                done += 1
        recovered = servers.until(lambda: ward.follow() and world.ledger.done(), 300)
    return _result(world, ward, done, recovered)


def host_lost(world: World, hosts: int, *, slow: float, app: str = "worker") -> Result:
    """S26: hosts with all their workers are gone one after the other, for good; the last one notices their silence."""
    _slow(world, slow)
    ward, done = Ward(world), 0
    with ExitStack() as stack:
        stack.enter_context(crew(world.environment, world.directory, servers.worker(app), servers.beat(app)))
        further = [stack.enter_context(_further_host(world, number, app)) for number in range(hosts)]
        for made in further:
            _until_sending(world, made, ward)
            seen = ward.windows(_pids(made))
            made.stop()
            ward.add(seen)
            done += bool(seen)
            servers.until(ward.follow, 60)
        recovered = servers.until(lambda: ward.follow() and world.ledger.done(), 300)
    return _result(world, ward, done, recovered)


def _until_sending(world: World, made: Crew, ward: Ward) -> None:
    servers.until(lambda: bool(ward.windows(_pids(made))) or world.ledger.done(), 120)


def cut_off(world: World, rounds: int, *, slow: float, seconds: float, app: str = "worker") -> Result:
    """S27: a host is cut off from the database for some seconds, or stopped, and lives on: it is taken for dead meanwhile."""
    _slow(world, slow)
    ward, done = Ward(world), 0
    parts = urlsplit(world.environment["NEWSLETTER_DATABASE_URL"])
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy(parts.port or 5432))
        url = world.environment["NEWSLETTER_DATABASE_URL"].replace(f":{parts.port}/", f":{proxy.port}/")
        stack.enter_context(crew(world.environment, world.directory, servers.worker(app), servers.beat(app)))
        servers.until(world.begun, 120)
        made = stack.enter_context(_further_host(world, 0, app, NEWSLETTER_DATABASE_URL=url))
        for number in range(rounds):
            _until_sending(world, made, ward)
            seen = ward.windows(_pids(made))
            _away(made, proxy, True, stopped=bool(number % 2))
            ward.add(seen)
            done += bool(seen)
            began = time.monotonic()
            while time.monotonic() < began + seconds:
                ward.follow()
                time.sleep(0.3)
            _away(made, proxy, False, stopped=bool(number % 2))
            time.sleep(seconds / 4)
            if world.ledger.done():
                break
        recovered = servers.until(lambda: ward.follow() and world.ledger.done(), 300)
        lived = bool(_pids(made))
    result = _result(world, ward, done, recovered)
    return replace(result, promises=result.promises | {"who was cut off lives on": lived})


def _away(made: Crew, proxy: Proxy, away: bool, *, stopped: bool) -> None:
    """Cut a host off from the database, or stop its processes as a machine that sleeps."""
    if not stopped:
        proxy.block(away)
        return
    for pid in [pid for one in made.workers() for pid in (one.pid, *children(one.pid))]:
        os.kill(pid, signal.SIGSTOP if away else signal.SIGCONT)


def _slow(world: World, seconds: float) -> None:
    world.fake.rules.add(Rule("dot", f"accept-slow:{seconds}"))


def _pids(made: Crew) -> list[int]:
    return [pid for one in made.workers() for pid in children(one.pid)]


def _sending(world: World, made: Crew, ward: Ward, chance: random.Random) -> tuple[int, int | None]:
    """(a worker, one of its children that has a window open), where another worker is at work and could go on."""
    known = {pid for (pid,) in world.ledger.asked("SELECT pid FROM worker") or ()}
    alive = [(one.pid, child) for one in made.workers() for child in children(one.pid) if child in known]
    busy = [(one, child) for one, child in alive if any(other != one for other, _ in alive) and ward.windows([child])]
    return chance.choice(busy) if busy else (0, None)


@contextmanager
def _further_host(world: World, number: int, app: str, **more: str) -> Iterator[Crew]:
    """A worker with a data directory of its own, as on another machine; its end is that of the machine."""
    data = world.directory / f"host{number}"
    data.mkdir(mode=0o700)
    shutil.copy2(Path(world.environment["NEWSLETTER_DATA_DIR"]) / "keys", data / "keys")
    environment = world.environment | {"NEWSLETTER_DATA_DIR": str(data)} | more
    with crew(environment, data, servers.worker(app)) as made:
        yield made


def _result(world: World, ward: Ward, hurt: int, recovered: float | None) -> Result:
    verdict = world.verdict()
    seconds = [one.recovered for one in ward.hurt if one.recovered is not None]
    return Result(verdict, hurt, recovered, seconds, ward.facts(verdict), ward.promises(), world.left(recovered))


def _p50_p99(seconds: list[float]) -> tuple[float, float]:
    if len(seconds) < 2:
        return (seconds[0], seconds[0]) if seconds else (0.0, 0.0)
    parts = quantiles(seconds, n=100, method="inclusive")
    return parts[49], parts[98]
