"""The fakes are strict: each thing that the real ones refuse is refused, so that a test that passes means something."""

import copy
import smtplib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sendgrid
from python_http_client.exceptions import HTTPError

from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.sendgrid_rules import complaints
from tests.fakes.smtp import SmtpCatcher
from tests.providers.pieces import SENDER, body, parcel

Change = Callable[[dict[str, Any]], Any]


def first(request: dict[str, Any]) -> Any:
    return request["personalizations"][0]


BREAKS: list[tuple[str, Change]] = [
    ("personalizations", lambda it: it.pop("personalizations")),
    ("personalizations", lambda it: it.update(personalizations=[])),
    ("personalizations", lambda it: it.update(personalizations=[first(it)] * 1001)),
    ("personalizations.0.to", lambda it: first(it).pop("to")),
    ("personalizations.0.to", lambda it: first(it).update(to=first(it)["to"] * 2)),
    ("personalizations.1.to", lambda it: it["personalizations"].append(copy.deepcopy(first(it)))),
    ("personalizations.0.to.0.email", lambda it: first(it).update(to=[{"email": "nobody"}])),
    ("personalizations.0", lambda it: first(it).update(bcc=[{"email": "a@example.org"}])),
    ("personalizations.0.headers.Reply-To", lambda it: first(it)["headers"].update({"Reply-To": "a@example.org"})),
    ("personalizations.0.headers.X-A", lambda it: first(it)["headers"].update({"X-A": "a\r\nBcc: b"})),
    ("personalizations.0.substitutions", lambda it: first(it).update(substitutions={"@@nl-ask@@": "x" * 10_000})),
    ("personalizations.0.substitutions", lambda it: first(it).update(substitutions={"@@nl-ask@@": 1})),
    ("personalizations.0.custom_args", lambda it: first(it).update(custom_args={"d": 7})),
    ("headers.x-sg-id", lambda it: it.update(headers={"x-sg-id": "a"})),
    ("from", lambda it: it.pop("from")),
    ("from.name", lambda it: it["from"].update(name="News, views")),
    ("subject", lambda it: it.pop("subject")),
    ("content", lambda it: it.pop("content")),
    ("content", lambda it: it["content"].reverse()),
    ("content.1.value", lambda it: it["content"][1].update(value="")),
    ("tracking_settings.open_tracking", lambda it: it.update(tracking_settings={})),
    ("tracking_settings.click_tracking", lambda it: it["tracking_settings"].pop("click_tracking")),
    ("categories", lambda it: it.update(categories=["uyghur"])),
    ("mail_settings", lambda it: it.update(mail_settings={"sandbox_mode": {"enable": True}})),
]


@pytest.mark.parametrize(("field", "change"), BREAKS)
def test_fake_sendgrid_refuses(field: str, change: Change) -> None:
    request = copy.deepcopy(body([parcel()], SENDER))
    assert complaints(request) == []
    change(request)
    assert field in {name for name, _ in complaints(request)}
    with FakeSendGrid() as fake:
        with pytest.raises(HTTPError) as caught:
            sendgrid.SendGridAPIClient(fake.key, host=fake.url).client.mail.send.post(request_body=request)
        assert caught.value.status_code == 400
        assert fake.accepted == []


def test_fake_sendgrid_wants_its_key() -> None:
    with FakeSendGrid() as fake:
        with pytest.raises(HTTPError) as caught:
            sendgrid.SendGridAPIClient("other", host=fake.url).client.mail.send.post(
                request_body=body([parcel()], SENDER)
            )
        assert caught.value.status_code == 401


def test_logs_are_written_before_the_answer(tmp_path: Path) -> None:
    with FakeSendGrid(log=tmp_path / "sendgrid") as fake:
        sendgrid.SendGridAPIClient(fake.key, host=fake.url).client.mail.send.post(request_body=body([parcel()], SENDER))
        assert (tmp_path / "sendgrid").read_text().startswith("opaque-0001 ")
    with SmtpCatcher(log=tmp_path / "smtp") as catcher, smtplib.SMTP("127.0.0.1", catcher.port) as client:
        client.sendmail("a@example.org", ["b@example.org", "c@example.org"], "Message-ID: <x@y>\r\n\r\n.a\r\n")
        assert (tmp_path / "smtp").read_text() == "x@y 2\n"
        assert catcher.accepted == [("x@y", 2)]
        assert catcher.messages[0].raw == b"Message-ID: <x@y>\r\n\r\n.a\r\n"
