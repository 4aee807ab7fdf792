"""The rules of one SMTP transaction: a step for every reply, and doubt only where the end of a mail may have left."""

from typing import get_args

import pytest

from newsletter.lib.mail.provider_interface import Deferred, Outcome, Rejected, Unknown
from newsletter.providers.smtp.transaction import (
    END,
    STEPS,
    Phase,
    Step,
    Transaction,
    proof_of,
    refusal_for,
    reply_class,
)
from newsletter.providers.smtp.window import EncodedMail

MAIL = EncodedMail(1, "", b"reader@example.org", [b"Subject: a\r\n\r\n", b"text\r\n"])


@pytest.mark.parametrize("phase", sorted(STEPS))
def test_every_reply_has_a_step(phase: Phase) -> None:
    steps = {code: STEPS[phase][reply_class(phase, code)] for code in range(1000)}
    assert set(steps.values()) <= set(get_args(Step))
    if phase != "empty":
        assert steps[0] in ("give up", "doubt"), "what is no reply ends the connection"
        assert steps[421] == "give up"


def test_only_the_answer_to_a_whole_mail_accepts_it() -> None:
    accepts = {phase for phase, steps in STEPS.items() if "accept" in steps.values()}
    assert accepts == {"answer"}
    assert [code for code in range(1000) if STEPS["answer"][reply_class("answer", code)] == "accept"] == [
        *range(200, 300)
    ]


@pytest.mark.parametrize("phase", get_args(Phase))
def test_a_lost_connection_is_doubt_only_once_the_end_may_have_left(phase: Phase) -> None:
    size = MAIL.size + len(END)
    written = phase in ("body", "answer")
    assert proof_of(phase, size, size) is not written
    assert proof_of(phase, size - 1, size)
    outcome = Transaction(MAIL, phase, bytes_written=size).after_loss("timed out")
    assert isinstance(outcome, Unknown if written else Deferred)
    assert isinstance(Transaction(MAIL, phase, bytes_written=size - 1).after_loss("timed out"), Deferred)


def test_the_first_refusal_outlasts_a_lost_connection() -> None:
    refusal = Rejected("RCPT: 550 5.1.1", recipient_status="5.1.1")
    assert Transaction(MAIL, "DATA", refusal).after_loss("timed out") is refusal


@pytest.mark.parametrize(
    ("phase", "code", "text", "outcome"),
    [
        ("RSET", 550, b"5.0.0 no", Deferred("RSET: 550 5.0.0")),
        ("MAIL", 451, b"4.3.0 later", Deferred("MAIL: 451 4.3.0")),
        ("MAIL", 550, b"5.7.1 a@example.org", Deferred("MAIL: 550 5.7.1", pause=True)),
        ("RCPT", 450, b"4.2.1 full", Deferred("RCPT: 450 4.2.1")),
        ("RCPT", 550, b"no such user", Rejected("RCPT: 550", recipient_status="")),
        ("RCPT", 530, b"5.7.0 log in", Deferred("RCPT: 530 5.7.0", pause=True)),
        ("DATA", 554, b"5.6.0 no", Rejected("DATA: 554 5.6.0")),
        ("answer", 421, b"4.3.2 bye", Deferred("answer: 421 4.3.2")),
        ("answer", 554, b"5.7.1 spam", Rejected("answer: 554 5.7.1")),
    ],
)
def test_status_codes_of_refusals(phase: Phase, code: int, text: bytes, outcome: Outcome) -> None:
    assert refusal_for(phase, code, text) == outcome
