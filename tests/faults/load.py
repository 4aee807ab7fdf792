"""The service as it is, with its clocks turned fast: `celery -A tests.faults.load …`, `python -m tests.faults.load run`.

What takes minutes so that slow providers are waited for takes seconds here; which follows which is unchanged.
"""

import os
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")

import newsletter.worker.tasks  # noqa: F401 - first: it sets Django up, before what needs it
from newsletter.delivery.gates import circuit_breaker
from newsletter.delivery.sending import backoff, claim, recipients, workers
from newsletter.providers.sendgrid.provider import SendGrid
from newsletter.providers.smtp.provider import Smtp
from newsletter.worker import fallback_poll, tasks

_SECOND = 1 / 60

claim.CLAIM_LEASE, recipients.MARGIN = timedelta(seconds=5), timedelta(seconds=1)
recipients.REQUEST_LEASE, recipients.WINDOW_LEASE = timedelta(seconds=6), timedelta(seconds=8)
workers.EVERY, workers.LATE = 1.0, timedelta(seconds=2)
workers.SILENT, workers.NOTICED = timedelta(seconds=4), timedelta(seconds=1.5)
backoff.BACK_OFF = (_SECOND, 2 * _SECOND, 3 * _SECOND)
circuit_breaker.PROBE_AFTER = (_SECOND, _SECOND, 2 * _SECOND)
SendGrid.__init__.__kwdefaults__["timeout"] = 2.0
Smtp.__init__.__kwdefaults__.update(timeout=2.0, answer_within=2.0)
fallback_poll.poll_when_silent.__kwdefaults__["silence"] = 4
fallback_poll.recover_regularly.__kwdefaults__["every"] = 1.0
for tick in tasks.app.conf.beat_schedule.values():
    every = max(tick["schedule"] / 10, 1)
    tick |= {"schedule": every, "options": {"expires": every}}

app = tasks.app

if __name__ == "__main__":
    from newsletter.__main__ import main

    main()
