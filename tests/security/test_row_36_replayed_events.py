"""Row 36: a post that somebody recorded says nothing new, however often it comes, in whatever order, signed anew or not."""

import base64
import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from newsletter.lib import clock
from newsletter.models import Batch, Delivery, Event, Suppression
from tests import reports
from tests.web.webhooks.sendgrid_posts import PATH, _key, mail, post, token  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db

#: Of the curve P-256: (r, s) and (r, ORDER - s) both verify, so a signature is no mark of a post.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def state() -> object:
    """What the events led to."""
    return (
        sorted(Event.objects.values_list("fingerprint", "delivery_id", "kind", "at"), key=str),
        list(Suppression.objects.values_list("address_index", "reason", "sticky")),
        list(Delivery.objects.order_by("id").values_list("id", "state")),
        list(Batch.objects.order_by("id").values_list("id", "state")),
    )


def test_replaying_in_any_order_changes_nothing(mail) -> None:  # noqa: F811
    at = clock.utcnow()
    bodies = [
        reports.body([reports.event(token(mail), name, at=at, email="canary@example.org", **more)])
        for name, more in (("delivered", {}), ("bounce", {"type": "bounce"}), ("spamreport", {}))
    ]
    for raw in bodies:
        assert post(raw).status_code == 204
    before = state()
    assert Event.objects.count() == 3 and Suppression.objects.count() == 1
    for order in itertools.islice(itertools.permutations(bodies * 2), 0, 720, 90):
        for raw in order:
            assert post(raw).status_code == 204
    assert state() == before


def test_the_other_signature_of_the_same_post_is_the_same_post(mail) -> None:  # noqa: F811
    raw = reports.body([reports.event(token(mail), "bounce", type="bounce", at=clock.utcnow())])
    signature, timestamp = reports.sign(raw, clock.utcnow())
    r, s = decode_dss_signature(base64.b64decode(signature))
    other = base64.b64encode(encode_dss_signature(r, ORDER - s)).decode()
    stamp = {"X-Twilio-Email-Event-Webhook-Timestamp": timestamp}
    for one in (signature, other):
        assert post(raw, **{"X-Twilio-Email-Event-Webhook-Signature": one}, **stamp).status_code == 204
    assert Event.objects.count() == 1
