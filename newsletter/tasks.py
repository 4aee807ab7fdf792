"""The whole chain of Celery tasks. A task carries ids, may run zero, one or many times, and changes nothing the second time.

Doors do the work and return ids; what follows is rung from here. Every ring may be lost: the same work is found by the ticks,
and, where no tick comes either, by every worker's own look at the tables (`watch`).
"""

import math
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import django
import structlog
from celery import signals
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
if not apps.ready:
    django.setup()

from django.db import DatabaseError, close_old_connections, connection

from newsletter import broker, db, logs, wiring
from newsletter.delivery import events, failover, gate, proof, prune, recover, reputation, reroute, send, soft, waive
from newsletter.editions import closing, compose, notices
from newsletter.feeds import lease
from newsletter.feeds import prune as old_feeds
from newsletter.feeds import refresh as feeds
from newsletter.mail_urls import name_of
from newsletter.matching import match as matching
from newsletter.matching import rematch as rematching
from newsletter.matching import topics
from newsletter.models import IndexState, Pulse
from newsletter.providers import maildir, returned
from newsletter.stopping import Stopping
from newsletter.vault import KeysDoNotFit

log = structlog.get_logger()


@dataclass(frozen=True)
class Tick:
    """Something that rings by itself: which task, how often (seconds), and why."""

    task: str
    every: float
    why: str


TICKS = {
    "refresh": Tick("newsletter.refresh_due", 15, "feeds whose time has come are read"),
    "match": Tick("newsletter.match", 15, "items that met no topic yet, should the ring have been lost"),
    "rematch": Tick("newsletter.rematch", 15, "stored items meet topics that changed"),
    "notices": Tick("newsletter.notices", 10, "confirmations and links that wait, should the ring have been lost"),
    "close": Tick("newsletter.close", 5, "fresh matches that waited long enough become an alert"),
    "slots": Tick("newsletter.slots", 15, "digests whose local hour has come"),
    "compose": Tick("newsletter.compose_open", 30, "gatherings that were not composed to the end"),
    "send": Tick(
        "newsletter.send",
        1 if wiring.config().limits.paced else 10,
        "batches whose time has come, also those that had to wait; every second where mail keeps a pace",
    ),
    "recover": Tick("newsletter.recover", 15, "work of workers that died; says that the tables were looked at"),
    "hear": Tick("newsletter.hear", 60, "returned mails are read; complaints, bounces and silence are watched"),
    "prune": Tick("newsletter.prune", 3600, "what is kept no longer is deleted"),
}
#: Seconds without a tick after which a worker looks at the tables by itself.
SILENCE = 25
#: Batches that one task sends before it lets others have a turn, and seconds in which one task begins to read feeds.
TURN, READING = 20, 60.0
#: Seconds in which one task begins to send, of a slow server only some windows: the last answer of one may take until shortly
#: before the task's limit, and whatever is under way there is in doubt.
SENDING = 30.0
#: Seconds for which a worker that looks by itself goes on with mail that keeps a pace: below SILENCE, so one looks at a time.
PACED = 20.0
#: Seconds for which one task deletes what is old; what is left goes the next hour.
PRUNING = 180.0
#: Seconds that a hand-over which has begun is waited for at the end.
DRAIN = 30.0

# Without these names Celery would look for an AMQP broker in every thread that did not set the app itself.
app = broker.App("newsletter")
app.set_default()
app.conf.update(
    broker_url=wiring.config().broker_url,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options=broker.IN_MEMORY if wiring.config().embedded else broker.REDIS,
    worker_consumer="newsletter.consumer:Enduring",
    worker_prefetch_multiplier=4 if wiring.config().embedded else 1,
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=300,
    task_soft_time_limit=240,
    task_default_queue="newsletter",
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_soft_shutdown_timeout=20,
    worker_max_tasks_per_child=2000,
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={
        name: {"task": tick.task, "schedule": tick.every, "options": {"expires": max(tick.every * 0.9, 1)}}
        for name, tick in TICKS.items()
    },
    timezone="UTC",
)


def _send_task(name: str, ids: tuple[int, ...]) -> None:
    app.send_task(f"newsletter.{name}", args=ids, retry=False, ignore_result=True)


#: Rings a task's bell by its short name, with ids: `ring("compose", 7)`.
ring = broker.Bell(_send_task).ring

#: The connection on which a thread's data was looked at.
_looked = threading.local()

#: Set when this worker is to end: nobody waits for feeds then, and no batch is begun.
stopping = Stopping()


@app.task(name="newsletter.refresh_due")
def refresh_due() -> None:
    """Read the feeds that are due, unless another worker does: visits wait for slow sites, and one worker is enough for that."""
    held = lease.take(db.now())
    if held is None:
        return
    try:
        going_on = partial(_still, held)
        for one in feeds.refresh_due(clock=db.now, fetcher=wiring.fetcher(), seconds=READING, going_on=going_on):
            if one.unmatched:
                ring("match")
    finally:
        held.end(db.now())


def _still(held: lease.Lease) -> bool:
    return not stopping.is_set() and held.renew(db.now())


@app.task(name="newsletter.match")
def match() -> None:
    """Let new items meet the topics."""
    while (met := matching.match_fresh(now=db.now(), vault=wiring.vault())).items:
        if met.matches:
            ring("close")


@app.task(name="newsletter.rematch")
def rematch() -> None:
    """Let stored items meet topics that changed; ring again when there is more."""
    if rematching.rematch(clock=db.now):
        ring("rematch")


@app.task(name="newsletter.notices")
def plan_notices() -> None:
    """Plan notices that wait."""
    if notices.plan_notices(wiring.composer(), now=db.now()):
        ring("send")


@app.task(name="newsletter.close")
def close() -> None:
    """Close an alert gathering when its time has come."""
    gathering_id = closing.close_alert(now=db.now(), wait=wiring.gather())
    if gathering_id is not None:
        ring("compose", gathering_id)


@app.task(name="newsletter.slots")
def slots() -> None:
    """Open the digests that are due."""
    for gathering_id in closing.take_slots(now=db.now()):
        ring("compose", gathering_id)


@app.task(name="newsletter.compose_open")
def compose_open() -> None:
    """Ring for gatherings that are not composed to the end."""
    for gathering_id in closing.open_gatherings():
        ring("compose", gathering_id)


@app.task(name="newsletter.compose")
def compose_gathering(gathering_id: int) -> None:
    """Compose and plan one gathering."""
    compose.compose(gathering_id, wiring.composer(), clock=db.now, planned=lambda _: ring("send"))


@app.task(name="newsletter.send", time_limit=900, soft_time_limit=840)
def send_batches() -> None:
    """Send what is due, a turn of it; ring again when there is more."""
    going_on = _for(SENDING)
    for _ in range(TURN):
        sent = _send_next(going_on)
        if not going_on():
            break
        if sent is None:
            return
    ring("send")


def _send_next(going_on: Callable[[], bool]) -> send.Sent | None:
    with stopping.finishing():
        for sender in wiring.senders():
            _look_at_the_data()
            if (sent := send.send_next(sender, clock=db.steady_now, going_on=going_on)) is not None:
                return sent
    return None


def _look_at_the_data() -> None:
    """On a new connection: a database that was away may have been set back to a backup, of which nothing may be sent."""
    if connection.connection is None or connection.connection is not getattr(_looked, "at", None):
        gate.look(wiring.config().data_dir, now=db.now())
        _looked.at = connection.connection


def _going_on() -> bool:
    return not stopping.is_set()


def _for(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: _going_on() and time.monotonic() < until


@app.task(name="newsletter.recover")
def recover_work() -> None:
    """Take care of what dead workers left, and leave a sign that the tables are looked at."""
    now = db.now()
    gate.guard(wiring.config().data_dir, now=now)
    Pulse.objects.update_or_create(name="tick", defaults={"at": now})
    found = recover.recover(now=now)
    # events may have come before anybody was in doubt: what they prove is not sent again
    proof.prove(now=now)
    if again := waive.resend_urgent(now=now):
        log.warning("urgent_again", rows=again)
    if found.given_back or found.doubtful:
        log.warning("recovered", given_back=found.given_back, doubtful=found.doubtful)
    carriers = wiring.carriers()
    reroute.reroute(wiring.carrier(), now=now, configured=carriers)
    if failover.fail_over(carriers, after=wiring.failover_after(), now=now):
        ring("send")


@app.task(name="newsletter.hear")
def hear() -> None:
    """Read what came back, and close the gate when the figures say so."""
    now = db.now()
    directory = wiring.config().bounce_maildir
    if directory is not None:
        _read_maildir(directory, now)
    refused = events.refusals(wiring.hearing(), now=now)
    why = reputation.watch(now=now, events_from=wiring.events_from()) or refused.paused
    if why is not None:
        log.error("sending_paused", reason=why)
    for one in reputation.warn(now=now):
        log.warning("reputation", provider=name_of(one.provider), reason="; ".join(one.warnings))


def _read_maildir(directory: Path, now: datetime) -> None:
    """Each new mail by itself: a broken one never stops the others."""
    try:
        for mail in maildir.waiting(directory, largest=returned.LARGEST):
            maildir.put_away(mail, _hear_of(mail, now))
        maildir.clear(directory, now=now)
    except OSError as error:
        log.error("maildir_not_read", error=type(error).__name__)


def _hear_of(mail: maildir.Returned, now: datetime) -> maildir.Flag:
    if mail.raw is None:
        return maildir.Flag.BROKEN
    report = returned.read(mail.raw, received=mail.received)
    if report is None:
        return maildir.Flag.LEFT
    done = events.apply([report], wiring.hearing(), provider="mail", now=now)
    if done.paused:
        log.error("sending_paused", reason=done.paused)
    return maildir.Flag.LEFT if done.strangers else maildir.Flag.UNDERSTOOD


@app.task(name="newsletter.prune")
def prune_rows() -> None:
    """Delete what is kept no longer."""
    now = db.now()
    prune.prune(now=now, going_on=_for(PRUNING))
    soft.prune(now=now)
    old_feeds.prune(now=now)
    topics.drop_orphans()


@dataclass(frozen=True)
class Done:
    """What one pass over the tables did."""

    feeds: int = 0
    new: int = 0
    feeds_failed: int = 0
    matches: int = 0
    gatherings: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    unknown: int = 0


Progress = Callable[[str, int], None]


def _no_progress(_stage: str, _number: int) -> None:
    pass


def once(*, wait: timedelta, progress: Progress = _no_progress) -> Done:
    """All that is due now, in this process, to the end: refresh, match, gather, compose, deliver.

    `wait` is how long a fresh match waits for others; `progress` hears of each step (its name, and an id or a number).
    """
    polled = []
    for one in feeds.refresh_due(clock=db.now, fetcher=wiring.fetcher()):
        progress("feed", one.feed_id)
        polled.append(one)
    done = deliver(wait=wait, progress=progress)
    return replace(
        done,
        feeds=len(polled),
        new=sum(one.new for one in polled),
        feeds_failed=sum(bool(one.error) for one in polled),
    )


def deliver(*, wait: timedelta, progress: Progress = _no_progress, paced: float = math.inf) -> Done:
    """`once` without reading feeds: whatever the tables owe, up to the last batch that is due.

    Mail that waits for nothing but its pace is gone on with for `paced` seconds, holding nothing meanwhile.
    """
    until = time.monotonic() + paced
    recover_work()
    hear()
    while rematching.rematch(clock=db.now):
        pass
    matches = 0
    while (met := matching.match_fresh(now=db.now(), vault=wiring.vault())).items:
        matches += met.matches
        progress("items matched", met.items)
    notices.plan_notices(wiring.composer(), now=db.now())
    closing.close_alert(now=db.now(), wait=wait)
    closing.take_slots(now=db.now())
    gatherings = closing.open_gatherings()
    for gathering_id in gatherings:
        progress("gathering", gathering_id)
        compose.compose(gathering_id, wiring.composer(), clock=db.now)
    sent = []
    while (one := _send_next(_going_on)) is not None or _paused(until):
        if one is not None:
            progress("batch", one.batch_id)
            sent.append(one)
    return Done(
        matches=matches,
        gatherings=len(gatherings),
        accepted=sum(one.accepted for one in sent),
        deferred=sum(one.deferred for one in sent),
        refused=sum(one.refused for one in sent),
        unknown=sum(one.unknown for one in sent),
    )


def _paused(until: float) -> bool:
    """Wait a moment for the pace; False when no mail does, or the time is up."""
    if not _going_on() or time.monotonic() >= until:
        return False
    waits = [one.pacing.pause(now=db.now()) for one in wiring.senders() if one.pacing]
    seconds = min((wait for wait in waits if wait is not None), default=None)
    if seconds is not None:
        time.sleep(seconds)
    return seconds is not None


def watch(stop: threading.Event, *, silence: float = SILENCE) -> None:
    """Look at the tables whenever no tick was seen for `silence` seconds, until `stop`: Redis may be gone for hours.

    Of several workers one looks: the sign in the `pulse` row is moved by compare-and-set.
    """
    while not stop.wait(silence / 5):
        try:
            now = db.now()
            silent = Pulse.objects.filter(name="tick", at__lt=now - timedelta(seconds=silence))
            if silent.update(at=now):
                log.warning("no_ring")
                _look()
        except Exception as error:  # noqa: BLE001 - without Redis nobody else looks: what fails is tried again
            log.error("not_looked", error=type(error).__name__)
        finally:
            close_old_connections()


def _look() -> None:
    """What is owed goes first, and again after each feed that brought something: a slow feed must not hold up a mail."""
    deliver(wait=wiring.gather(), paced=PACED)
    for one in feeds.refresh_due(clock=db.now, fetcher=wiring.fetcher(), seconds=READING):
        if one.unmatched:
            deliver(wait=wiring.gather(), paced=PACED)


class NotReady(Exception):
    """The service cannot start as it is; the message says what to do."""


def prepare() -> None:
    """What every start does once the tables are there: check the keys, show a first sign of life.

    Raises:
        NotReady: no database, tables missing, or keys that do not open the data.
    """
    try:
        gate.ensure(wiring.vault())
        gate.guard(wiring.config().data_dir, now=db.now())
        # begun at random: an index compiled for another database must never look like this one's
        IndexState.objects.get_or_create(id=1, defaults={"number": secrets.randbelow(2**30)})
        Pulse.objects.get_or_create(name="tick", defaults={"at": db.now()})
    except KeysDoNotFit as error:
        raise NotReady(f"{error}. Put back the keys file that was kept") from error
    except DatabaseError as error:
        raise NotReady("the database does not answer, or has no tables yet: run 'newsletter migrate'") from error


def start_watching(**_signal: Any) -> threading.Event:
    """Start `watch` in a thread of this process."""
    stop = threading.Event()
    threading.Thread(target=watch, args=(stop,), name="watch", daemon=True).start()
    return stop


@signals.worker_process_init.connect
def _in_each_child(**signal: Any) -> None:
    """A prefork child: threads do not survive the fork, so each child watches for itself."""
    stopping.obey_sigterm()
    start_watching(**signal)


@signals.worker_process_shutdown.connect
def _before_each_child_ends(**_signal: Any) -> None:
    """What this child's own look at the tables is sending comes to its end."""
    stopping.leave(DRAIN)


@signals.worker_shutting_down.connect
def _told_to_end(**_signal: Any) -> None:
    """In the parent, at the signal: children see it too, and begin nothing more."""
    stopping.set()


@signals.worker_init.connect
def _in_the_parent(sender: Any = None, **signal: Any) -> None:
    """Keys are checked before anything is taken; pools without children watch from here."""
    stopping.clear()
    try:
        prepare()
    except NotReady as error:
        raise SystemExit(f"newsletter: {error}") from None
    if sender is not None and "prefork" not in str(getattr(sender, "pool_cls", "prefork")):
        start_watching()


@signals.setup_logging.connect
def _logging(**_signal: Any) -> None:
    logs.configure(wiring.config().log_level)
