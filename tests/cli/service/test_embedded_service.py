"""The parts of the service in one process."""

import celery.beat

from newsletter.cli.service.embedded_service import beat_service
from newsletter.worker.tasks import app


def test_beat_keeps_no_file_where_it_was_started() -> None:
    assert type(beat_service(app).get_scheduler(lazy=True)) is celery.beat.Scheduler
