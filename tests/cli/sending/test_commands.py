"""sending and suppressions: what is said when something cannot be done, and that no address is ever shown."""

import io
import json
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from newsletter import delivery_wiring, wiring
from newsletter.cli import invoke
from newsletter.delivery.gates import restore_guard
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db
from newsletter.models import Pulse, SoftBounce, Suppression
from newsletter.subscribers.email_address import index_of, parse_address
from newsletter.worker import startup
from tests import factories
from tests.journey import road

pytestmark = pytest.mark.django_db

ADDRESS = "canary@example.org"


@pytest.fixture(autouse=True)
def _ready() -> None:
    startup.prepare()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("share 10% --provider outbox", 1, "NEWSLETTER_MAIL_URL_2"),
        ("share 10% --provider smtp", 2, "must be one of outbox"),
        ("share 10 per cent", 2, ""),
        ("share 101% --provider outbox", 2, "whole number of percent"),
        ("share 10% --provider outbox --domain @", 2, "after the @ sign"),
        ("share --forget", 1, "no such rule"),
        ("move --from outbox --to outbox", 2, "the same provider"),
        ("move --from pigeon --to outbox", 2, "must be one of outbox"),
        ("pause --provider sendgrid", 2, "must be one of outbox"),
        ("resume --provider pigeon", 2, "must be one of outbox"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(capsys, words: str, code: int, told: str) -> None:
    assert invoke(["sending", *words.split()]) == code
    said = capsys.readouterr()
    assert told in said.err and said.out == "" and said.err.count("\n") == 1


def test_two_of_one_kind_have_names_of_their_own(capsys, settings) -> None:
    with road.configured(settings, mail="smtp://127.0.0.1:25", mail_2="smtps://127.0.0.1:465"):
        assert invoke(["sending", "list", "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert [one["provider"] for one in shown["providers"]] == ["smtp", "smtp-2"]
        assert {number: one.number for number, one in delivery_wiring.providers().items()} == {2: 2, 12: 12}
        assert invoke(["sending", "pause", "--provider", "smtp-2"]) == 0
        assert invoke(["sending", "list"]) == 0
        assert "an operator" in capsys.readouterr().out


def suppressed(reason: str, *, sticky: bool = False) -> bytes:
    index = index_of(parse_address(ADDRESS), wiring.vault())
    Suppression.objects.create(address_index=index, reason=reason, sticky=sticky, since=factories.NOW)
    return index


def test_an_address_is_suppressed_and_lifted_by_standard_input_and_never_shown(capsys, monkeypatch) -> None:
    def typed() -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{ADDRESS.upper()}\n"))

    typed()
    assert invoke(["suppressions", "add", "-"]) == 0
    typed()
    assert invoke(["suppressions", "add", "-"]) == 0
    assert Suppression.objects.get().reason == "admin"
    assert invoke(["suppressions", "list"]) == 0
    typed()
    assert invoke(["suppressions", "lift", "-"]) == 0
    assert invoke(["suppressions", "list", "--lifted"]) == 0
    typed()
    assert invoke(["suppressions", "lift", "-"]) == 1
    said = capsys.readouterr()
    assert "not suppressed" in said.err and "already suppressed" in said.out
    assert "canary" not in (said.out + said.err).lower()
    # and again, for whoever is added after it was lifted
    typed()
    assert invoke(["suppressions", "add", "-"]) == 0
    assert Suppression.objects.get().lifted_at is None


@pytest.mark.parametrize(
    ("reason", "sticky", "told"),
    [("complaint", True, "spam"), ("erased", True, "erased"), ("bounce", True, "for good")],
)
def test_what_is_for_good_is_not_lifted(capsys, reason: str, sticky: bool, told: str) -> None:
    suppressed(reason, sticky=sticky)
    assert invoke(["suppressions", "lift", ADDRESS]) == 1
    assert told in capsys.readouterr().err
    assert Suppression.objects.get().lifted_at is None


def test_an_id_of_the_list_lifts_too_and_soft_bounces_begin_anew(capsys) -> None:
    who = factories.subscriber(ADDRESS, vault=wiring.vault())
    SoftBounce.objects.create(delivery_id=1, subscriber=who, at=factories.NOW)
    suppressed("soft bounces")
    assert invoke(["suppressions", "list", "--reason", "soft bounces", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert invoke(["suppressions", "lift", one["id"]]) == 0
    assert Suppression.objects.get().lifted_at is not None and not SoftBounce.objects.exists()
    for wrong in ("0" * 16, "zz", "00"):
        assert invoke(["suppressions", "lift", wrong]) == 1


def test_a_stronger_reason_is_not_weakened_by_hand() -> None:
    suppressed("complaint", sticky=True)
    assert invoke(["suppressions", "add", ADDRESS]) == 0
    assert Suppression.objects.get().reason == "complaint"
    assert invoke(["suppressions", "list", "--reason", "none"]) == 2


def test_doctor_says_that_a_new_host_waits_for_a_sign_of_others(capsys, settings, tmp_path) -> None:
    def told() -> list[str]:
        invoke(["doctor", "--json"])
        return [one["message"] for one in json.loads(capsys.readouterr().out) if one["what"] == "this host"]

    assert told() == []
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=tmp_path)
    Pulse.objects.update(at=db.now())
    assert told() == [Standing.NEW_HOST.value]


def test_a_confirmation_that_cannot_be_kept_says_so(capsys, settings, tmp_path) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=tmp_path)
    (tmp_path / restore_guard.FILE_NAME).mkdir()
    with capture_logs():
        assert invoke(["sending", "resume", "--confirm"]) == 1
        said = capsys.readouterr()
        (tmp_path / restore_guard.FILE_NAME).rmdir()
        assert invoke(["sending", "resume", "--confirm"]) == 0
    assert "no file can be written" in said.err and said.out == "" and said.err.count("\n") == 1
