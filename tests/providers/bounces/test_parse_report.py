"""Mails that come back: found by our own Message-ID, judged by code, and hostile ones are left alone in good time."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.lib.mail.provider_interface import Report, ReportKind
from newsletter.providers.bounces import parse_report
from tests import factories, reports

NOW = factories.NOW
TOKEN = factories.VAULT.token("message", 7)
OURS = f"{TOKEN}@example.org"


def read(raw: bytes) -> Report | None:
    return parse_report.read(raw, received=NOW)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, ReportKind.BOUNCE),
        ({"status": "5.1.2"}, ReportKind.BOUNCE),
        ({"status": "5.1.10"}, ReportKind.BOUNCE),
        ({"status": "5.2.1"}, ReportKind.BOUNCE),
        ({"status": "5.0.0", "diagnostic": "smtp; 550-5.1.1 no such user"}, ReportKind.BOUNCE),
        ({"status": "5.0.0", "diagnostic": "smtp; 554 rejected"}, ReportKind.SOFT_BOUNCE),
        ({"status": "5.2.2"}, ReportKind.SOFT_BOUNCE),
        ({"status": "5.7.1"}, ReportKind.SOFT_BOUNCE),
        ({"status": "4.4.7"}, ReportKind.SOFT_BOUNCE),
        ({"status": "nonsense", "diagnostic": ""}, ReportKind.SOFT_BOUNCE),
        ({"action": "delayed", "status": "4.4.1"}, ReportKind.DELAYED),
        ({"action": "delivered", "status": "2.0.0"}, ReportKind.DELIVERED),
        ({"action": "relayed", "status": "2.0.0"}, ReportKind.DELIVERED),
    ],
)
def test_notifications_are_judged_by_their_codes(fields, kind) -> None:
    found = read(reports.bounce(OURS, **fields))
    assert found is not None
    assert (found.kind, found.token, found.purpose) == (kind, TOKEN, "message")
    assert [address.value for address in found.addresses] == ["reader@example.org"]
    assert "reader" not in repr(found)


@pytest.mark.parametrize("part", ["text/rfc822-headers", "message/rfc822", "message/rfc822-headers", "message/global"])
@pytest.mark.parametrize("encoding", ["7bit", "base64"])
def test_the_mail_is_found_in_whatever_part_it_came_back(part: str, encoding: str) -> None:
    found = read(reports.bounce(OURS, returned=part, encoding=encoding))
    assert found is not None and found.token == TOKEN


def test_without_the_mail_the_threads_own_headers_lead_to_it() -> None:
    raw = reports.bounce("nothing@of.ours").replace(
        b"Subject: Undelivered", f"References: <{OURS}>\r\nSubject: X".encode()
    )
    found = read(raw)
    assert found is not None and found.token == TOKEN


def test_report_without_a_token_is_ignored() -> None:
    assert read(reports.bounce("somebody.else@example.org")) is None


def test_alias_is_delivered_if_one_of_its_mailboxes_is() -> None:
    second = b"Final-Recipient: rfc822; two@example.org\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
    raw = reports.bounce(OURS).replace(
        b"--=_edge\r\nContent-Type: text/rfc", second + b"--=_edge\r\nContent-Type: text/rfc"
    )
    found = read(raw)
    assert found is not None and found.kind == ReportKind.DELIVERED


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("abuse", ReportKind.COMPLAINT),
        ("Fraud", ReportKind.COMPLAINT),
        ("opt-out", ReportKind.UNSUBSCRIBE),
        ("not-spam", None),
        ("x", None),
    ],
)
def test_complaints(said: str, kind: ReportKind | None) -> None:
    found = read(reports.complaint(OURS, kind=said))
    assert (found.kind if found else None) == kind
    assert found is None or found.addresses == ()


def test_vacation_reply_is_no_report() -> None:
    answer = EmailMessage()
    answer["From"], answer["In-Reply-To"], answer["Auto-Submitted"] = "reader@example.org", f"<{OURS}>", "auto-replied"
    answer["Subject"] = "Out of office"
    answer.set_content(f"I am away. Status: 5.1.1 Message-ID: <{OURS}>")
    assert read(answer.as_bytes()) is None


def test_its_date_counts_where_it_can_be_true() -> None:
    old = NOW - timedelta(days=3)
    assert read(reports.bounce(OURS, at=old)).at == old  # type: ignore[union-attr]
    for wrong in (NOW - timedelta(days=400), NOW + timedelta(days=2)):
        assert read(reports.bounce(OURS, at=wrong)).at == NOW  # type: ignore[union-attr]


def nested(depth: int) -> bytes:
    head = b'Content-Type: multipart/report; boundary="b%d"\r\n\r\n--b%d\r\n'
    return b"".join(head % (level, level) for level in range(depth))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        nested(20_000),
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
        b"Content-Type: multipart/report\r\n\r\nno boundary",
        b"Content-Type: multipart/report; boundary=\r\n\r\n--\r\n",
        b"Content-Type: multipart/report; boundary*0=a; boundary*1=b; charset*=x'y'z\r\n\r\n--ab\r\n",
        reports.bounce(OURS).replace(b"message/delivery-status\r\n", b"message/delivery-status; x=\xff\xfe\r\n"),
        reports.bounce(OURS)[:400] + b"A" * 3_000_000,
        reports.bounce(OURS).replace(b"7bit", b"base64"),
    ],
    ids=range(10),
)
def test_hostile_mails_break_nothing(raw: bytes) -> None:
    found = read(raw)
    assert found is None or found.token == TOKEN


@given(st.binary(max_size=300), st.integers(0, 1200), st.integers(0, 60))
@example(b"\xff", 300, 10)
def test_no_spoilt_report_breaks_the_reader(noise: bytes, at: int, cut: int) -> None:
    for raw in (reports.bounce(OURS), reports.complaint(OURS)):
        found = read(raw[:at] + noise + raw[at + cut :])
        assert found is None or found.purpose == "message"
