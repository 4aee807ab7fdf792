"""The ledger at size: a million deliveries planned, handed over in name only, settled, and pruned; on PostgreSQL with fsync.

    python -m bench.delivery --ledger [--people 1000000] [--sample 20000]

Ours: `plan` in chunks of 50,000, then each batch claimed, past the barrier (addresses opened) and accepted, then pruning while
other mail goes on. Beside it, in the same database and on a sample: rows by the ORM's `bulk_create`, and states row by row.
"""

import argparse
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import million, processes

CHUNK = 50_000
#: People who share an edition within a chunk.
SHARED = 250
#: The targets of the design, as ratios.
PLAN, SETTLE = 5.0, 10.0
ITEM = 1_000_000_000  # items of the benchmark's own, of which no row exists


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, processor seconds of this process and of PostgreSQL, for so many deliveries."""

    rows: int
    wall: float
    cpu: float
    database: float

    @property
    def rate(self) -> float:
        """Deliveries for each second of work: others on this machine count less than on the clock."""
        return self.rows / (self.cpu + self.database)

    def __str__(self) -> str:
        return (
            f"{self.rows:>9,} in {self.wall:7.2f} s ({self.rows / self.wall:9,.0f} a second), "
            f"CPU s {self.cpu:.1f} + PostgreSQL {self.database:.1f}"
        )


class Clock:
    """Takes the time of pieces of work."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = postmaster

    def take(self, work: Callable[[], int]) -> Took:
        """Do `work`, which tells how many deliveries it was."""
        wall, cpu, database = time.monotonic(), time.process_time(), self._database()
        rows = work()
        return Took(rows, time.monotonic() - wall, time.process_time() - cpu, self._database() - database)

    def _database(self) -> float:
        return sum(map(processes.cpu, processes.family(self._postmaster)))


def plan_all(people: Sequence[int], item: int) -> int:
    """Plan one mail for each of `people`, in chunks as a composer does; returns how many."""
    from django.db import transaction

    from newsletter.delivery.ledger.plan import PlannedProvider, Share, plan
    from newsletter.lib import db
    from newsletter.models import Lane, Occasion

    now = db.now()
    occasion = Occasion.objects.create(kind="alert", key=f"alert:bench:{item}", created_at=now)
    for start in range(0, len(people), CHUNK):
        chunk = people[start : start + CHUNK]
        shares = [Share(1 + place, chunk[place : place + SHARED]) for place in range(0, len(chunk), SHARED)]
        with transaction.atomic():
            plan(
                occasion_id=occasion.id,
                lane=Lane.ALERT,
                shares=shares,
                items_given=[(item, 1, chunk)],
                provider=PlannedProvider(3, one_letter=True),
                now=now,
            )
    return len(people)


def settle_all(slowest: list[float]) -> int:
    """Claim, pass the barrier, accept, until nothing waits; `slowest` takes the seconds of each batch."""
    from django.db import transaction

    from newsletter import wiring
    from newsletter.delivery.sending import record_outcomes
    from newsletter.delivery.sending.claim import claim_batch
    from newsletter.delivery.sending.recipients import start_attempt
    from newsletter.lib import db
    from newsletter.lib.mail.provider_interface import Accepted

    vault, taken = wiring.vault(), 0
    while True:
        began = time.monotonic()
        held = claim_batch(now=db.now(), provider=3)
        if held is None:
            return taken
        recipients = start_attempt(held, now=db.now(), provider=3, window=None, vault=vault)
        if not recipients:
            raise RuntimeError("a batch of the benchmark has nobody")
        with transaction.atomic():
            record_outcomes.record_outcome(held, Accepted(f"ref-{held.batch_id}"), now=db.now())
        slowest.append(time.monotonic() - began)
        taken += len(recipients)


def bulk_insert(people: Sequence[int], item: int) -> int:
    """The ORM's own means: objects, a thousand in a statement, all in one transaction."""
    from django.db import transaction

    from newsletter.lib import db
    from newsletter.models import Batch, Delivery, DeliveryItem, Lane, Occasion

    now = db.now()
    occasion = Occasion.objects.create(kind="alert", key=f"alert:bench:{item}", created_at=now)
    with transaction.atomic():
        size = 100
        batches = Batch.objects.bulk_create(
            Batch(provider=9, lane=Lane.ALERT, not_before=now, size=size) for _ in range(0, len(people), size)
        )
        Delivery.objects.bulk_create(
            (
                Delivery(occasion_id=occasion.id, subscriber_id=one, edition_id=1, batch_id=batches[place // size].id)
                for place, one in enumerate(people)
            ),
            batch_size=1000,
        )
        DeliveryItem.objects.bulk_create(
            (DeliveryItem(item_id=item, subscriber_id=one, version=1) for one in people), batch_size=1000
        )
    return len(people)


def row_by_row(numbers: Sequence[int]) -> int:
    """Each delivery's own state, twice, as a worker of one mail each would write it: begun, then accepted."""
    from newsletter.models import Delivery

    for number in numbers:
        Delivery.objects.filter(id=number, state=None).update(state="unknown")
        Delivery.objects.filter(id=number, state="unknown").update(state="accepted")
    return len(numbers)


def pruned_beside_mail(people: Sequence[int], mail: Sequence[int], clock: Clock) -> None:
    """All of the ledger grows old and is pruned, while a fresh alert is planned and sent."""
    from django.db import connection

    from newsletter.delivery import retention
    from newsletter.lib import db
    from newsletter.models import Batch, Occasion

    alone: list[float] = []
    plan_all(mail, ITEM + 10)
    settle_all(alone)
    Occasion.objects.update(created_at=db.now() - timedelta(days=30))
    Batch.objects.update(not_before=db.now() - timedelta(days=30))
    pieces: list[float] = []
    last = [time.monotonic()]
    gone: dict[str, int] = {}

    def noted() -> bool:
        now = time.monotonic()
        pieces.append(now - last[0])
        last[0] = now
        return True

    def sweep() -> None:
        last[0] = time.monotonic()
        gone.update(retention.prune(now=db.now(), should_continue=noted))
        connection.close()

    beside: list[float] = []
    plan_all(mail, ITEM + 11)
    sweeping = threading.Thread(target=sweep)
    took = clock.take(lambda: _joined(sweeping, lambda: settle_all(beside), gone))
    print(f"  pruned                {took}")
    print(
        f"  longest piece {max(pieces) * 1000:.0f} ms, median {statistics.median(pieces) * 1000:.1f} ms; a batch settled "
        f"beside it takes {statistics.median(beside) * 1000:.1f} ms, slowest {max(beside) * 1000:.0f} ms; "
        f"alone {statistics.median(alone) * 1000:.1f} ms, slowest {max(alone) * 1000:.0f} ms"
    )


def _joined(thread: threading.Thread, work: Callable[[], int], gone: dict[str, int]) -> int:
    thread.start()
    work()
    thread.join()
    return gone["delivery"]


def compare(people: Sequence[int], sample: int, clock: Clock) -> None:
    """Ours, the peers, the ratios."""
    from newsletter.delivery.ledger import reports as ledger_reports
    from newsletter.models import Delivery

    planned = clock.take(lambda: plan_all(people, ITEM))
    print(f"  ours, planned         {planned}")
    spent: list[float] = []
    settled = clock.take(lambda: settle_all(spent))
    print(f"  ours, settled         {settled}; median batch {statistics.median(spent) * 1000:.1f} ms")
    sums = next(one.by_state for one in ledger_reports.mailings(100) if one.key == f"alert:bench:{ITEM}")
    if sums != {"accepted": len(people)}:
        raise RuntimeError(f"the sum does not close: {sums}")
    theirs = clock.take(lambda: bulk_insert(people[:sample], ITEM + 1))
    print(f"  bulk_create           {theirs}")
    numbers = list(Delivery.objects.order_by("-id").values_list("id", flat=True)[: sample // 4])
    rows = clock.take(lambda: row_by_row(numbers))
    print(f"  states row by row     {rows}")
    print(
        f"  planning {planned.rate / theirs.rate:.1f} times as fast as bulk_create (target {PLAN:.0f}), by CPU seconds"
    )
    print(
        f"  settling {settled.rate / rows.rate:.1f} times as fast as row by row (target {SETTLE:.0f}), by CPU seconds"
    )
    Delivery.objects.filter(batch__provider=9).delete()


@contextmanager
def _ground(people: int) -> Iterator[int]:
    """A seeded database, Django set up on it; gives PostgreSQL's process."""
    with million.postgres() as server, tempfile.TemporaryDirectory() as directory:
        url = million.seeded(server, people)
        os.environ.update(million.environment(Path(directory), url))
        import django

        django.setup()
        from newsletter.lib import log_setup

        log_setup.configure("ERROR")
        yield server.pid
        from django.db import connection

        connection.close()


def main() -> None:
    """Run and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=1_000_000)
    asked.add_argument("--sample", type=int, default=20_000)
    options = asked.parse_args()
    with _ground(options.people) as postmaster:
        from newsletter.lib import db

        people = [row[0] for row in db.rows("SELECT id FROM subscriber ORDER BY id")]
        print(
            f"{len(people):,} deliveries, PostgreSQL with fsync, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        clock = Clock(postmaster)
        compare(people, options.sample, clock)
        pruned_beside_mail(people, people[: options.sample], clock)
        print(f"  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
