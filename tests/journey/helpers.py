"""Steps of the journeys."""

from datetime import datetime, timedelta

from django.test import Client

from newsletter.lib import clock
from tests import reports


def later() -> datetime:
    """Surely after what was just done: those who tell count in whole seconds."""
    return clock.utcnow() + timedelta(seconds=5)


def post(raw: bytes, now) -> None:
    signature, timestamp = reports.sign(raw, now)
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    assert Client().post("/hooks/sendgrid", raw, content_type="application/json", headers=headers).status_code == 204
