"""SendGrid's events: nothing is believed but what it signed, byte by byte, and only codes are kept of what servers said."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lib.mail.provider_interface import Address, ReportKind
from newsletter.providers.sendgrid.webhook import SignedReports, Unverified, read
from tests import factories, reports

NOW = factories.NOW
KEYS = [reports.KEY.public_key()]
TOKEN = factories.VAULT.token("delivery", 7)


def told(*events, at=NOW, now=NOW):
    raw = reports.body(events)
    signature, timestamp = reports.sign(raw, at)
    return read(raw, signature=signature, timestamp=timestamp, keys=KEYS, now=now)


def only(**event):
    found = told(reports.event(TOKEN, **event))
    assert isinstance(found, SignedReports) and len(found.reports) == 1
    return found.reports[0]


def test_the_body_is_verified_to_its_last_line_end() -> None:
    raw = reports.body([reports.event(TOKEN)])
    signature, timestamp = reports.sign(raw, NOW)
    assert raw.endswith(b"\r\n")
    assert isinstance(read(raw, signature=signature, timestamp=timestamp, keys=KEYS, now=NOW), SignedReports)
    for other in (raw.rstrip(), raw.replace(b"\r\n", b"\n"), json.dumps(json.loads(raw)).encode(), raw + b" ", b""):
        assert read(other, signature=signature, timestamp=timestamp, keys=KEYS, now=NOW) == Unverified("forged")


def test_a_signature_of_another_key_time_or_form_is_forged() -> None:
    raw = reports.body([reports.event(TOKEN)])
    signature, timestamp = reports.sign(raw, NOW)
    stranger, _ = reports.sign(raw, NOW, ec.generate_private_key(ec.SECP256R1()))
    for made, stamp in (
        (stranger, timestamp),
        (signature, str(int(timestamp) + 1)),
        ("é", timestamp),
        ("AA==", timestamp),
    ):
        assert read(raw, signature=made, timestamp=stamp, keys=KEYS, now=NOW) == Unverified("forged")
    for made, stamp in (("", timestamp), (signature, ""), (signature, "today"), (signature, f" {timestamp}")):
        assert read(raw, signature=made, timestamp=stamp, keys=KEYS, now=NOW) == Unverified("unsigned")
    assert read(raw, signature=signature, timestamp=timestamp, keys=[], now=NOW) == Unverified("forged")


def test_any_of_several_keys_may_have_signed() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    raw = reports.body([reports.event(TOKEN)])
    signature, timestamp = reports.sign(raw, NOW, other)
    assert isinstance(
        read(raw, signature=signature, timestamp=timestamp, keys=[*KEYS, other.public_key()], now=NOW), SignedReports
    )


@pytest.mark.parametrize("minutes", [-11, 11])
def test_an_old_signature_or_one_of_the_future_is_not_believed(minutes: int) -> None:
    assert told(reports.event(TOKEN), at=NOW + timedelta(minutes=minutes)) == Unverified("old")
    assert isinstance(told(reports.event(TOKEN), at=NOW + timedelta(minutes=minutes * 9 / 11)), SignedReports)


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b"[", b"\xff", b"[" * 100_000, b'"' + b"9" * 5000])
def test_signed_body_that_is_no_list_is_garbled(raw: bytes) -> None:
    signature, timestamp = reports.sign(raw, NOW)
    assert read(raw, signature=signature, timestamp=timestamp, keys=KEYS, now=NOW) == Unverified("garbled")


def test_numbers_too_long_to_be_read_are_garbled() -> None:
    raw = b"[" + b"9" * 5000 + b"]"
    signature, timestamp = reports.sign(raw, NOW)
    assert read(raw, signature=signature, timestamp=timestamp, keys=KEYS, now=NOW) == Unverified("garbled")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"name": "processed"}, ReportKind.PROCESSED),
        ({"name": "delivered"}, ReportKind.DELIVERED),
        ({"name": "deferred", "attempt": "5"}, ReportKind.DELAYED),
        ({"name": "bounce", "type": "bounce", "status": "5.1.1"}, ReportKind.BOUNCE),
        ({"name": "bounce", "type": "bounce"}, ReportKind.BOUNCE),
        ({"name": "bounce", "type": "bounce", "status": "5.2.2"}, ReportKind.SOFT_BOUNCE),
        ({"name": "bounce", "type": "bounce", "status": "4.4.7"}, ReportKind.SOFT_BOUNCE),
        ({"name": "bounce", "type": "blocked"}, ReportKind.SOFT_BOUNCE),
        ({"name": "dropped", "reason": "Bounced Address"}, ReportKind.BOUNCE),
        ({"name": "dropped", "reason": "Spam Reporting Address"}, ReportKind.COMPLAINT),
        ({"name": "dropped", "reason": "Unsubscribed Address"}, ReportKind.UNSUBSCRIBE),
        ({"name": "dropped", "reason": "Invalid"}, ReportKind.DROPPED),
        ({"name": "spamreport"}, ReportKind.COMPLAINT),
        ({"name": "unsubscribe"}, ReportKind.UNSUBSCRIBE),
        ({"name": "group_unsubscribe", "asm_group_id": 3}, ReportKind.UNSUBSCRIBE),
    ],
)
def test_kinds(event, kind) -> None:
    assert only(**event).kind == kind


@pytest.mark.parametrize(
    "event",
    [
        "text",
        None,
        {},
        reports.event(TOKEN, "open"),
        reports.event(TOKEN, "group_resubscribe"),
        {**reports.event(TOKEN), "d": None},
        {**reports.event(TOKEN), "d": 7},
        {**reports.event(TOKEN), "timestamp": "1"},
        {**reports.event(TOKEN), "timestamp": True},
        {**reports.event(TOKEN), "timestamp": -1},
        {**reports.event(TOKEN), "timestamp": 10**30},
        {**reports.event(TOKEN), "event": ["delivered"]},
    ],
)
def test_events_without_a_mail_are_left_out(event) -> None:
    found = told(event, reports.event(TOKEN))
    assert isinstance(found, SignedReports)
    assert (len(found.reports), found.left_out) == (1, 1)


def test_of_what_a_server_said_only_its_codes_are_kept() -> None:
    found = only(name="bounce", type="bounce", status="5.1.1", reason="550 5.1.1 <canary@example.org> is not here")
    assert found.detail == "550 5.1.1"
    assert found.addresses == (Address("reader@example.org"),)
    assert "example" not in repr(found)
    assert only(name="deferred", response="400 try again later", attempt="5").detail == "400"


def test_told_again_under_another_event_id_it_is_the_same() -> None:
    first = only(name="deferred", attempt="5", sg_event_id="a")
    assert only(name="deferred", attempt="5", sg_event_id="b") == first
    assert only(name="deferred", attempt="6") != first


@given(
    st.lists(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)
        | st.dictionaries(
            st.sampled_from(["event", "d", "timestamp", "email", "reason", "type", "status"]),
            st.none() | st.integers() | st.text() | st.sampled_from(["bounce", "dropped"]),
        )
    )
)
def test_no_event_breaks_the_reader(events) -> None:
    raw = json.dumps(events).encode()
    signature, timestamp = reports.sign(raw, NOW)
    found = read(raw, signature=signature, timestamp=timestamp, keys=KEYS, now=NOW)
    assert isinstance(found, SignedReports) and len(found.reports) + found.left_out == len(events)


def test_the_package_of_sendgrid_agrees() -> None:
    from sendgrid.helpers.eventwebhook import EventWebhook

    raw = reports.body([reports.event(TOKEN, name="bounce", reason="Ünknown")])
    signature, timestamp = reports.sign(raw, NOW)
    assert EventWebhook(reports.PUBLIC).verify_signature(raw.decode(), signature, timestamp)
    assert base64.b64decode(signature)
