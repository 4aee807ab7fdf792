"""`sending test`: one mail by one provider, to an address that is typed and never printed."""

import io

import pytest

from newsletter.cli import invoke
from newsletter.models import AuditEntry, Delivery
from newsletter.worker import startup
from tests.journey import road

pytestmark = pytest.mark.django_db


def test_a_test_mail_is_written_and_in_no_sum(capsys, settings, monkeypatch, tmp_path) -> None:
    with road.configured(settings, data_dir=tmp_path):
        startup.prepare()
        monkeypatch.setattr("sys.stdin", io.StringIO("canary@example.org\n"))
        assert invoke(["sending", "test"]) == 0
        said = capsys.readouterr()
        assert said.out.startswith("outbox took the test mail (") and "canary" not in said.out + said.err
        (written,) = (tmp_path / "outbox").glob("*.eml")
        assert b"To: canary@example.org" in written.read_bytes()
    assert not Delivery.objects.exists()
    assert AuditEntry.objects.get(action="provider.test").after == {"outcome": "accepted"}
    assert invoke(["sending", "test", "--provider", "pigeon", "a@example.org"]) == 2
