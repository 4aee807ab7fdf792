"""Signed posts of events, as SendGrid sends them, and the mail they report on."""

from dataclasses import replace

import pytest
from django.test import Client

from newsletter import wiring
from newsletter.config.validators import public_key
from newsletter.delivery.gates import sending_gate
from newsletter.lib import clock
from newsletter.models import Delivery
from tests import factories, reports

PATH = "/hooks/sendgrid"


@pytest.fixture(autouse=True)
def _key(settings) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, sendgrid_webhook_keys=(public_key(reports.PUBLIC),))
    sending_gate.create_gate(wiring.vault())


@pytest.fixture
def mail() -> Delivery:
    person = factories.subscriber("canary@example.org", vault=wiring.vault())
    made = factories.planned([person], provider=factories.PlannedProvider(3, one_letter=True))
    delivery = Delivery.objects.get(batch_id__in=made.batch_ids)
    for state in ("claimed", "sending", "accepted"):
        type(delivery.batch).objects.filter(id=delivery.batch_id).update(state=state, attempts=1)
    return delivery


def token(mail: Delivery) -> str:
    return wiring.vault().token("delivery", mail.id)


def post(raw: bytes, *, at=None, client: Client | None = None, **headers: str):
    signature, timestamp = reports.sign(raw, at or clock.utcnow())
    signed = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    } | headers
    return (client or Client(enforce_csrf_checks=True)).post(PATH, raw, content_type="application/json", headers=signed)
