"""The whole chain of Celery tasks. A task carries ids, may run zero, one or many times, and changes nothing the second time.

Doors do the work and return ids; what follows is rung from here. Every ring may be lost: the same work is found by the ticks,
and, where no tick comes either, by every worker's own look at the tables (`fallback_poll.py`, `run_once.py`).
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
if not apps.ready:
    django.setup()

from newsletter import wiring
from newsletter.editions import compose, gatherings, notices
from newsletter.feeds import poll
from newsletter.feeds.polling import lease
from newsletter.lib import db
from newsletter.matching import match as matching
from newsletter.matching import rematch as rematching
from newsletter.worker import celery_app, maintenance, preload, retention, send_loop, sign_ups, signals  # noqa: F401
from newsletter.worker.fallback_poll import READING


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
    "sign_ups": Tick("newsletter.sign_ups", 5, "requests from public forms, also those that had to wait"),
    "notices": Tick("newsletter.notices", 10, "confirmations and links that wait, should the ring have been lost"),
    "close": Tick("newsletter.close", 5, "fresh matches that waited long enough become an alert"),
    "slots": Tick("newsletter.slots", 15, "digests whose local hour has come"),
    "compose": Tick("newsletter.compose_open", 30, "gatherings that were not composed to the end"),
    "send": Tick(
        "newsletter.send",
        1 if wiring.config().limits.paced else 5,
        "batches whose time has come, also those that had to wait; every second where mail keeps a pace",
    ),
    "recover": Tick("newsletter.recover", 15, "work of workers that died; says that the tables were looked at"),
    "hear": Tick("newsletter.hear", 60, "returned mails are read; complaints, bounces and silence are watched"),
    "prune": Tick("newsletter.prune", 3600, "what is kept no longer is deleted"),
}
#: Batches that one task sends before it lets others have a turn.
TURN = 20
#: Seconds in which one task begins to send, of a slow server only some windows: the last answer of one may take until shortly
#: before the task's limit, and whatever is under way there is in doubt.
SENDING = 30.0
#: Seconds for which one task decides requests from public forms, or plans notices; what is left the next tick finds.
DECIDING = 10.0
#: Seconds for which one task deletes what is old; what is left goes the next hour.
PRUNING = 180.0

# Without these names Celery would look for an AMQP broker in every thread that did not set the app itself.
app = celery_app.App("newsletter")
app.set_default()
app.conf.update(
    broker_url=wiring.config().broker_url,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options=celery_app.IN_MEMORY if wiring.config().embedded else celery_app.REDIS,
    worker_consumer="newsletter.worker.celery_consumer:ReconnectingConsumer",
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
    # Celery would end the connection before and after each task, and with it every plan that PostgreSQL keeps: see lifetime
    CELERY_DB_REUSE_MAX=sys.maxsize,
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={
        name: {"task": tick.task, "schedule": tick.every, "options": {"expires": max(tick.every * 0.9, 1)}}
        for name, tick in TICKS.items()
    },
    timezone="UTC",
)


def _send_task(name: str, ids: tuple[int, ...]) -> None:
    app.send_task(f"newsletter.{name}", args=ids, retry=False, ignore_result=True)


#: Publishes a task by its short name, with ids: `publish("compose", 7)`.
publish = celery_app.TaskPublisher(_send_task).publish

signals.follow(partial(publish, "send"))


@app.task(name="newsletter.refresh_due")
def refresh_due() -> None:
    """Read the feeds that are due, unless another worker does: visits wait for slow sites, and one worker is enough for that."""
    held = lease.take(db.now())
    if held is None:
        return
    try:
        going_on = partial(_still, held)
        for one in poll.refresh_due(clock=db.now, fetcher=wiring.fetcher(), seconds=READING, going_on=going_on):
            if one.unmatched:
                publish("match")
    finally:
        held.end(db.now())


def _still(held: lease.Lease) -> bool:
    return send_loop.going_on() and held.renew(db.now())


@app.task(name="newsletter.match")
def match() -> None:
    """Let new items meet the topics."""
    while (met := matching.match_fresh(now=db.now(), vault=wiring.vault())).items:
        if met.matches:
            publish("close")


@app.task(name="newsletter.rematch")
def rematch() -> None:
    """Let stored items meet topics that changed; ring again when there is more."""
    if rematching.rematch(clock=db.now):
        publish("rematch")


@app.task(name="newsletter.sign_ups")
def decide_sign_ups() -> None:
    """Decide what follows from requests of public forms."""
    going_on = _for(DECIDING)
    if sign_ups.decide(going_on):
        publish("notices")
    if not going_on():
        publish("sign_ups")


@app.task(name="newsletter.notices")
def plan_notices() -> None:
    """Plan notices that wait."""
    going_on = _for(DECIDING)
    while going_on() and notices.plan_notices(wiring.composer(), now=db.now()):
        publish("send")


@app.task(name="newsletter.close")
def close() -> None:
    """Close an alert gathering when its time has come."""
    gathering_id = gatherings.close_alert(now=db.now(), wait=wiring.gather())
    if gathering_id is not None:
        publish("compose", gathering_id)


@app.task(name="newsletter.slots")
def slots() -> None:
    """Open the digests that are due."""
    for gathering_id in gatherings.take_slots(now=db.now()):
        publish("compose", gathering_id)


@app.task(name="newsletter.compose_open")
def compose_open() -> None:
    """Ring for gatherings that are not composed to the end."""
    for gathering_id in gatherings.open_gatherings():
        publish("compose", gathering_id)


@app.task(name="newsletter.compose")
def compose_gathering(gathering_id: int) -> None:
    """Compose and plan one gathering."""
    compose.compose(gathering_id, wiring.composer(), clock=db.now, planned=lambda _: publish("send"))


@app.task(name="newsletter.send", time_limit=900, soft_time_limit=840)
def send_batches() -> None:
    """Send what is due, a turn of it; ring again when there is more."""
    going_on = _for(SENDING)
    for _ in range(TURN):
        sent = send_loop.send_next(going_on)
        if not going_on():
            break
        if sent is None:
            return
    publish("send")


@app.task(name="newsletter.recover")
def recover_work() -> None:
    """Take care of what dead workers left, and leave a sign that the tables are looked at."""
    if maintenance.recover():
        publish("send")


@app.task(name="newsletter.hear")
def hear() -> None:
    """Read what came back, and close the gate when the figures say so."""
    maintenance.hear()
    sign_ups.set_pace()


@app.task(name="newsletter.prune")
def prune_rows() -> None:
    """Delete what is kept no longer."""
    retention.prune(now=db.now(), going_on=_for(PRUNING))


def _for(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: send_loop.going_on() and time.monotonic() < until
