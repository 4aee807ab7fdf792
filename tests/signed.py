"""Event posts worded and signed as SendGrid does it; knows nothing of Django, so that a provider's side can be played without."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.reports_key import KEY

_NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def sign(raw: bytes, at: datetime, key: ec.EllipticCurvePrivateKey = KEY) -> tuple[str, str]:
    """(signature, timestamp), the two headers."""
    timestamp = str(int(at.timestamp()))
    made = key.sign(timestamp.encode() + raw, ec.ECDSA(SHA256()))
    return base64.b64encode(made).decode(), timestamp


def event(token: str, name: str = "processed", *, at: datetime = _NOW, **more: Any) -> dict[str, Any]:
    """One event as SendGrid words it: custom arguments stand beside the rest."""
    return {
        "email": "reader@example.org",
        "timestamp": int(at.timestamp()),
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": name,
        "sg_event_id": f"id-{name}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "d": token,
        **more,
    }


def body(events: Sequence[dict[str, Any]]) -> bytes:
    """A request's body, with the line ends that SendGrid writes, the last one too."""
    return ("[" + ",\r\n".join(json.dumps(one) for one in events) + "]\r\n").encode()
