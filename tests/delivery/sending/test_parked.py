"""All that is parked goes again by one word; what may have left, and what has no words any more, stays where it is."""

import json
import shlex

import pytest

from newsletter import wiring
from newsletter.cli import invoke
from newsletter.delivery.ledger import resend
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.lib.mail.provider_interface import Deferred
from newsletter.models import Attempt, Batch, Delivery, EditionBody, Event
from newsletter.worker import startup
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import LATER, OPERATOR_NOTE, in_doubt, run
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db


def given_up(people: int, reason: str = "gave up: 451") -> Batch:
    """A batch that was tried to the end of its tries."""
    factories.planned(people)
    run(ScriptedProvider(lambda _parcel: Deferred("451")))
    batch = Batch.objects.order_by("-id")[0]
    Batch.objects.filter(id=batch.id).update(state="parked", reason=reason)
    return batch


def without_words(batch: Batch) -> None:
    EditionBody.objects.filter(edition__delivery__batch=batch).delete()


@pytest.fixture(autouse=True)
def _gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "vault", lambda: factories.VAULT)
    factories.open_gate()


def test_all_go_again_but_what_may_have_left_and_what_has_no_words() -> None:
    in_doubt(2)
    first, second, gone, left = (given_up(number) for number in (3, 2, 4, 5))
    Batch.objects.filter(id=second.id).update(reason="gave up: 421")
    without_words(gone)
    Attempt.objects.filter(batch_id=left.id).update(disproved=False)  # as an earlier hand-over that nobody disproved
    assert resend.parked_mails() == resend.ParkedMails(5, 2, 9, {"gave up: 451": 3, "gave up: 421": 2})
    told: list[tuple[int, int]] = []
    assert resend.retry_parked(
        OPERATOR_NOTE, now=LATER, progress=lambda *so_far: told.append(so_far), actor=ACTOR
    ) == resend.ResendResult(5)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert ledger_summary().by_state == {"unknown": 2, "planned": 5, "parked": 9}
    handed = run(ScriptedProvider(), LATER)
    mails = Delivery.objects.filter(batch_id__in=[first.id, second.id]).values_list("id", flat=True)
    assert sorted(handed) == sorted(mails)
    story = Event.objects.filter(kind="retried")
    assert sorted(story.values_list("delivery_id", flat=True)) == sorted(mails)
    assert {one.detail for one in story} == {"ops: nothing came"}
    assert resend.parked_mails().deliveries == 0 and resend.retry_parked(
        OPERATOR_NOTE, now=LATER, actor=ACTOR
    ) == resend.ResendResult(0)


def test_of_a_batch_only_those_go_whose_words_are_kept() -> None:
    batch, other = given_up(2), given_up(1)
    Delivery.objects.filter(batch_id=other.id).update(batch_id=batch.id)
    Batch.objects.filter(id=other.id).delete()
    kept = sorted(Delivery.objects.filter(batch_id=batch.id).values_list("id", flat=True))[:2]
    EditionBody.objects.exclude(edition__delivery__id__in=kept).delete()
    assert resend.retry_parked(OPERATOR_NOTE, now=LATER, actor=ACTOR) == resend.ResendResult(2)
    assert run(ScriptedProvider(), LATER) == kept
    assert ledger_summary().by_state == {"accepted": 2, "parked": 1}


def command(words: str) -> int:
    return invoke(["deliveries", "retry", *shlex.split(words)])


def test_the_command_asks_before_and_tells_how_many_and_why(capsys) -> None:
    startup.prepare()
    given_up(3)
    without_words(given_up(1))
    capsys.readouterr()
    assert command("--all-parked --why 'the relay is back'") == 2
    told = capsys.readouterr()
    assert (
        "3 mails in 1 batch would be sent again" in told.err
        and "3: gave up: 451" in told.err
        and "1 mail stays parked" in told.err
    )
    assert told.out == "" and ledger_summary().by_state == {"parked": 4}
    assert command("--all-parked --yes --json --who ops --why 'the relay is back'") == 0
    assert json.loads(capsys.readouterr().out) == {"deliveries": 3}
    assert ledger_summary().by_state == {"planned": 3, "parked": 1}
    assert Event.objects.filter(detail="ops: the relay is back").count() == 3
    assert command("--all-parked --yes --why again") == 1
    assert "no parked mail can be sent again" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["", "--all-parked --batch", "7K3F-09QA-M2 --all-parked", "--all-parked --why ' '"])
def test_what_cannot_be_meant_is_told_in_one_line(capsys, words: str) -> None:
    startup.prepare()
    given_up(1)
    capsys.readouterr()
    assert command(words if "--why" in words else f"{words} --why x") == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert ledger_summary().by_state == {"parked": 1}


def test_the_first_time_is_not_called_a_second() -> None:
    """Nothing of it has left: its readers are not told that it may be a second copy."""
    given_up(1)
    resend.retry_parked(OPERATOR_NOTE, now=LATER, actor=ACTOR)
    assert not Attempt.objects.filter(waived_by__isnull=False).exists()
