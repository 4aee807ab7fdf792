"""The stages as Celery tasks. What each stage does, and what follows it, is the table in `stages.py`: read that page first.

A message carries a task's name and ids, nothing else. What a stage finds for the next one is published from here; if the message
is lost, the next tick finds the same work, and without ticks every worker's own look at the tables does (`fallback_poll.py`).
"""

import os
import sys
from functools import partial

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
if not apps.ready:
    django.setup()

from newsletter import wiring
from newsletter.feeds.polling.leases import lease_poll
from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue
from newsletter.worker import celery_app, preload, send_loop, signals  # noqa: F401
from newsletter.worker.stages import BY_NAME, STAGES, Stage, StageRun

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
    # Celery would end the connection before and after each task, and with it every plan that PostgreSQL keeps: see signals
    CELERY_DB_REUSE_MAX=sys.maxsize,
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={
        stage.name: {"task": stage.task, "schedule": stage.every, "options": {"expires": max(stage.every * 0.9, 1)}}
        for stage in STAGES
        if stage.every is not None
    },
    timezone="UTC",
)


def _send_task(name: str, ids: tuple[int, ...]) -> None:
    app.send_task(f"newsletter.{name}", args=ids, retry=False, ignore_result=True)


#: Publishes a stage by its name, with ids: `publish("compose", 7)`.
publish = celery_app.TaskPublisher(_send_task).publish


def run(name: str, *ids: int) -> None:
    """Run a stage as its task does: for a limited time, and publish it again if there is more."""
    stage = BY_NAME[name]
    if not stage.one_at_a_time:
        _run(stage, ids, send_loop.should_continue)
    elif (held := lease_poll(db.now())) is not None:
        try:
            _run(stage, ids, lambda: send_loop.should_continue() and held.renew(db.now()))
        finally:
            held.release(db.now())


def _run(stage: Stage, ids: tuple[int, ...], keep_running: ShouldContinue) -> None:
    follow = partial(publish, stage.then) if stage.then else _nothing_follows
    if stage.work(StageRun(follow=follow, seconds=stage.seconds, keep_running=keep_running), *ids):
        publish(stage.name, *ids)


def _nothing_follows(*_ids: int) -> None:
    pass


def _register(stage: Stage) -> None:
    @app.task(name=stage.task, time_limit=stage.limit, soft_time_limit=stage.limit - 60)
    def task(*ids: int) -> None:
        run(stage.name, *ids)


for _stage in STAGES:
    _register(_stage)
signals.connect(partial(publish, "send"))
