"""Row 35: only SendGrid can tell us what became of a mail: what it did not sign is not read, and leaves no row."""

import itertools
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.lib import clock
from newsletter.models import Event, Suppression
from tests import reports
from tests.web.webhooks.sendgrid_posts import PATH, _key, mail, token  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"

ADDRESS = "canary@example.org"


@pytest.fixture
def signed(mail) -> tuple[bytes, dict[str, str]]:  # noqa: F811
    """A post of one bounce, as SendGrid would sign it now."""
    raw = reports.body([reports.event(token(mail), "bounce", type="bounce", email=ADDRESS, at=clock.utcnow())])
    signature, timestamp = reports.sign(raw, clock.utcnow())
    return raw, {SIGNATURE: signature, TIMESTAMP: timestamp}


def post(client, raw: bytes, headers: dict[str, str]) -> int:
    """The status of the answer; checks that nothing was written."""
    with CaptureQueriesContext(connection) as asked:
        status = client.post(PATH, raw, content_type="application/json", headers=headers).status_code
    assert status == 204 or not [
        one["sql"] for one in asked if not one["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))
    ]
    return int(status)


def test_whatever_is_changed_makes_it_forged(client, signed) -> None:
    raw, headers = signed
    stranger = ec.generate_private_key(ec.SECP256R1())
    again = reports.sign(raw, clock.utcnow(), stranger)[0]
    later = str(int(headers[TIMESTAMP]) + 1)
    for body, changed in (
        (raw.rstrip(), {}),
        (raw.replace(b"bounce", b"boUnce", 1), {}),
        (raw.replace(b"\r\n", b"\n"), {}),
        (raw + b" ", {}),
        (b"[]", {}),
        (raw, {TIMESTAMP: later}),
        (raw, {SIGNATURE: again}),
        (raw, {SIGNATURE: "AAAA"}),
        (raw, {SIGNATURE: ""}),
        (raw, {TIMESTAMP: ""}),
    ):
        assert post(client, body, headers | changed) in (401, 403), changed
    assert post(client, raw, {}) == 401
    assert not Event.objects.exists() and not Suppression.objects.exists()
    assert post(client, raw, headers) == 204 and Suppression.objects.count() == 1, "the right one is believed"


def test_an_old_post_is_not_believed(client, signed) -> None:
    raw, _ = signed
    for minutes in (-60, 60):
        signature, timestamp = reports.sign(raw, clock.utcnow() + timedelta(minutes=minutes))
        assert post(client, raw, {SIGNATURE: signature, TIMESTAMP: timestamp}) == 403


def test_without_a_key_there_is_no_such_page(client, signed, settings) -> None:
    from dataclasses import replace

    settings.NEWSLETTER = replace(settings.NEWSLETTER, sendgrid_webhook_keys=())
    raw, headers = signed
    assert [post(client, *one) for one in itertools.product([raw], [headers, {}])] == [404, 404]
