"""Events of SendGrid, signed and posted to the page: how many a second are verified, stored once and followed?

    python -m bench.events [--mails 20000] [--post 500]

Three events for each mail (processed, deferred, then delivered, or a bounce for one in a hundred), then a third of all posts
once more. Beside it, in the same run and database, the usual handler that saves event by event, without a signature, on a
part of the same events.
SQLite unless NEWSLETTER_DATABASE_URL names another database, which must be empty.
"""

import argparse
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Sequence

SEED = 7


def posts(mails: Sequence[int], size: int, token: Callable[[int], str]) -> list[bytes]:
    """Bodies of `size` events each, in the order in which a provider would tell them, a little shuffled."""
    from tests import factories, reports

    chance = random.Random(SEED)
    told = []
    for number, mail in enumerate(mails):
        last = {"name": "bounce", "type": "bounce", "status": "5.1.1"} if number % 100 == 0 else {"name": "delivered"}
        for position, event in enumerate(({"name": "processed"}, {"name": "deferred", "attempt": "1"}, last)):
            made = reports.event(token(mail), at=factories.NOW, **event)
            made |= {"sg_event_id": f"{mail}-{position}", "email": f"reader{number}@example.org"}
            told.append((number * 3 + position * 40 + chance.random() * 100, made))
    told.sort(key=lambda one: one[0])
    events = [made for _, made in told]
    return [reports.body(events[start : start + size]) for start in range(0, len(events), size)]


def mailed(count: int) -> list[int]:
    """Deliveries of so many people, accepted; returns their ids."""
    from django.db import transaction

    from newsletter import wiring
    from newsletter.delivery.gates import sending_gate
    from newsletter.delivery.ledger.plan import PlannedProvider, Share, plan
    from newsletter.models import Attempt, Batch, Delivery, Lane, Occasion, Subscriber
    from tests import factories

    vault = wiring.vault()
    sending_gate.create_gate(vault)
    first = factories.subscriber("reader0@example.org", vault=vault)
    people = [first, *Subscriber.objects.bulk_create(_like(first, number) for number in range(1, count))]
    occasion = Occasion.objects.create(kind="alert", key="alert:bench", created_at=factories.NOW)
    with transaction.atomic():
        plan(
            occasion_id=occasion.id,
            lane=Lane.ALERT,
            shares=[Share(1, [person.id for person in people])],
            items_given=[],
            provider=PlannedProvider(3, one_letter=True),
            now=factories.NOW,
        )
    for state in ("claimed", "sending", "accepted"):
        Batch.objects.update(state=state, attempts=1)
    Attempt.objects.bulk_create(
        Attempt(batch_id=number, n=1, provider=3, began_at=factories.NOW, ended_at=factories.NOW, outcome="accepted")
        for number in Batch.objects.values_list("id", flat=True)
    )
    return list(Delivery.objects.order_by("id").values_list("id", flat=True))


def _like(first, number: int):  # type: ignore[no-untyped-def]
    from uuid import uuid4

    from newsletter import wiring
    from newsletter.models import Subscriber

    return Subscriber(
        handle=uuid4(),
        address_cipher=b"sealed",
        address_index=wiring.vault().blind_index("address", f"reader{number}@example.org"),
        key_id=1,
        state="active",
        look=first.look,
        daily_rhythm=first.daily_rhythm,
        weekly_rhythm=first.weekly_rhythm,
        created_at=first.created_at,
    )


def ours(bodies: Sequence[bytes]) -> tuple[float, float]:
    """(events a second, the slowest post in seconds), each post signed beforehand and sent through the whole page."""
    from django.test import Client

    from newsletter.lib import clock
    from tests import reports

    client, slowest, spent, events = Client(SERVER_NAME="127.0.0.1"), 0.0, 0.0, 0
    for raw in bodies:
        signature, timestamp = reports.sign(raw, clock.utcnow())
        headers = {
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }
        began = time.monotonic()
        answer = client.post("/hooks/sendgrid", raw, content_type="application/json", headers=headers)
        took = time.monotonic() - began
        if answer.status_code != 204:
            raise RuntimeError(f"answered {answer.status_code}")
        slowest, spent, events = max(slowest, took), spent + took, events + raw.count(b'"sg_event_id"')
    return events / spent, slowest


def main() -> None:
    """Run both, print the ratio."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--mails", type=int, default=20_000)
    asked.add_argument("--post", type=int, default=500)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        _prepare(directory)
        from django.db import connection

        from bench.peers.event_by_event import one_by_one
        from newsletter import wiring
        from newsletter.models import Event, Suppression

        bodies = posts(mailed(options.mails), options.post, lambda mail: wiring.vault().token("delivery", mail))
        again = random.Random(SEED).sample(bodies, len(bodies) // 3)
        rate, slowest = ours([*bodies, *again])
        stored, suppressed = Event.objects.count(), Suppression.objects.count()
        if (stored, suppressed) != (options.mails * 3, -(-options.mails // 100)):
            raise RuntimeError(f"{stored} events stored, {suppressed} people suppressed")
        print(
            f"{'newsletter (' + connection.vendor + ')':28} {rate:8,.0f} events a second, slowest post of "
            f"{options.post}: {slowest * 1000:.0f} ms, {stored:,} events stored, {suppressed:,} people suppressed, "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
        )
        Event.objects.all().delete()
        part = bodies[: max(1, len(bodies) // 20)]
        began = time.monotonic()
        told = sum(one_by_one(raw, wiring.vault()) for raw in part)
        theirs = told / (time.monotonic() - began)
        print(f"{'event by event, unsigned':28} {theirs:8,.0f} events a second, {told:,} events stored")
        print(f"ratio {rate / theirs:.1f}; the target is 2,000 a second")


def _prepare(directory: str) -> None:
    from tests.reports_key import PUBLIC

    os.environ |= {
        "NEWSLETTER_DATA_DIR": directory,
        "NEWSLETTER_SENDGRID_WEBHOOK_KEY": PUBLIC,
        "NEWSLETTER_LOG_LEVEL": "ERROR",
    }
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from newsletter.lib import log_setup

    log_setup.configure("ERROR")
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main()
