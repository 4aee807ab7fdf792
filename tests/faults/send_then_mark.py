"""The negative control: a plain worker that sends and then marks, and tries again whatever it got no yes for.

It shares the tables, the claim and the request with the service; what it has not is the barrier, and a word for doubt.
"""

import time

from django.db import OperationalError, connection, transaction

import newsletter.worker.tasks  # noqa: F401 - first: it sets Django up, before what needs it
from newsletter import delivery_wiring, wiring
from newsletter.delivery.sending.claim import claim_batch, release_claim
from newsletter.delivery.sending.messages import Letters, make_parcels
from newsletter.delivery.sending.recipients import open_window
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import Accepted
from newsletter.models import Batch
from newsletter.worker import fallback_poll, tasks
from tests.faults import load  # noqa: F401 - clocks turned fast

app = tasks.app  # sets Django up, before what needs it
fallback_poll.poll_when_silent.__kwdefaults__["silence"] = (
    1e9  # the service's own look at the tables would send with the barrier
)
app.conf.beat_schedule = {
    "send": {"task": "plain.send", "schedule": 1, "options": {"expires": 1}},
    "again": {"task": "plain.again", "schedule": 1, "options": {"expires": 1}},
}


@app.task(name="plain.send")
def send() -> None:
    """Send what is planned, mark it, go on."""
    [provider] = delivery_wiring.providers().values()
    while (held := claim_batch(now=db.now(), provider=provider.number)) is not None:
        who = open_window(held, after=0, now=db.now(), window=None, vault=wiring.vault())
        ready = make_parcels(
            who, letters=Letters(wiring.vault()), vault=wiring.vault(), base_url="https://x", domain="x"
        )
        if all(isinstance(one, Accepted) for one in provider.hand_over(ready).values()):
            _mark(held.batch_id)
        else:
            release_claim(held)


@app.task(name="plain.again")
def again() -> None:
    """What a dead worker held is planned again."""
    Batch.objects.filter(state="claimed", lease_until__lt=db.now()).update(state="planned", token=None)


def _mark(batch_id: int) -> None:
    for _ in range(10):
        try:
            with transaction.atomic():
                for state in ("claimed", "sending", "accepted"):
                    Batch.objects.filter(id=batch_id).exclude(state="accepted").update(state=state)
            return
        except OperationalError:
            connection.close()
            time.sleep(0.5)
