"""SMTP: what each phase proves, seen from both ends of a real connection."""

import socket
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any
from urllib.parse import urlsplit

import pytest

from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Parcel, Unknown
from newsletter.providers.smtp import provider as provider
from newsletter.providers.smtp import session
from newsletter.providers.smtp.provider import Smtp
from tests.fakes.smtp import SmtpCatcher
from tests.providers.pieces import HTML, SENDER, TEXT, filled, letter, parcel


def reach(catcher: SmtpCatcher, **more: Any) -> Smtp:
    more = {"ca_file": str(catcher.ca_file), "timeout": 5.0, "answer_within": 5.0} | more
    return Smtp(urlsplit(more.pop("url", catcher.url)), SENDER, **more)


def kinds(outcomes: dict[int, Outcome]) -> str:
    """A letter each: A, D, P (deferred, and paused), R, U."""
    return "".join(
        "P" if isinstance(one, Deferred) and one.pause else type(one).__name__[0] for one in outcomes.values()
    )


def three() -> list[Parcel]:
    return [parcel(number) for number in (1, 2, 3)]


#: What happens to the second of three mails → what becomes of the three, and how many the server has.
TABLE = [
    ("mail", "451 4.3.0", "ADA", 2),
    ("mail", "421 4.3.2", "ADD", 1),
    ("mail", "550 5.7.1", "APP", 1),
    ("mail", "530 5.7.0", "APP", 1),
    ("mail", "250-", "ADD", 1),
    ("mail", "drop", "ADD", 1),
    ("mail", "slow:2", "ADD", 1),
    ("rcpt", "450 4.2.1", "ADA", 2),
    ("rcpt", "421 4.3.2", "ADD", 1),
    ("rcpt", "550 5.1.1", "ARA", 2),
    ("rcpt", "530 5.7.0", "APP", 1),
    ("rcpt", "354", "ADD", 1),
    ("rcpt", "drop", "ADD", 1),
    ("rcpt", "slow:2", "ADD", 1),
    ("data", "451 4.3.0", "ADA", 2),
    ("data", "421 4.3.2", "ADD", 1),
    ("data", "554 5.6.0", "ARA", 2),
    ("data", "250", "ADD", 1),
    ("data", "drop", "ADD", 1),
    ("data", "slow:2", "ADD", 1),
    ("dot", "451 4.3.0", "ADA", 2),
    ("dot", "421 4.3.2", "ADD", 1),
    ("dot", "554 5.7.1", "ARA", 2),
    ("dot", "drop", "AUD", 1),
    ("dot", "garbage", "AUD", 1),
    ("dot", "354", "AUD", 1),
    ("dot", "accept-drop", "AUD", 2),
    ("dot", "accept-half", "AUD", 2),
    ("dot", "accept-slow:2", "AUD", 2),
    ("dot", "slow:2", "AUD", 1),
]


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(("point", "action", "expected", "taken"), TABLE)
def test_outcome_of_each_phase(point: str, action: str, expected: str, taken: int, pipelining: bool) -> None:
    with SmtpCatcher(pipelining=pipelining) as catcher:
        catcher.script(point, action, skip=1, times=1)
        slow = "slow" in action or action.endswith("-")  # a reply that never ends
        outcomes = reach(catcher, timeout=0.4 if slow else 5.0, answer_within=0.4 if slow else 5.0).hand_over(three())
        assert kinds(outcomes) == expected
        if action != "slow:2":  # there the server may still be waiting to take it
            assert len(catcher.accepted) == taken
        # an acceptance that we do not call accepted is unknown, never proof
        told = {number for number, one in outcomes.items() if isinstance(one, Accepted | Unknown)}
        assert {int(id_.removeprefix("message").partition("@")[0]) for id_, _ in catcher.accepted} <= told
        assert all(count == 1 for _, count in catcher.accepted)
        assert catcher.early == []
        assert catcher.for_nobody == []


@pytest.mark.parametrize("how", [{"pipelining": False}, {"pipelining": True}, {"starttls": True}])
def test_dropped_before_the_final_dot_left_is_proof(how: dict[str, bool]) -> None:
    large = letter(text=("x" * 70 + "\n") * 150_000, html="")  # more than sockets hold
    with SmtpCatcher(**how) as catcher:
        catcher.script("body", "drop")
        outcomes = reach(catcher).hand_over([parcel(1, of=large), parcel(2)])
        assert kinds(outcomes) == "DD"
        assert "body" in repr(outcomes[1])
        assert catcher.accepted == []


@pytest.mark.parametrize(
    ("point", "action", "expected"),
    [
        ("connect", "drop", "DDD"),
        ("connect", "554 5.3.2", "DDD"),
        ("connect", "421 4.3.2", "DDD"),
        ("connect", "slow:2", "DDD"),
        ("ehlo", "drop", "DDD"),
        ("ehlo", "451 4.3.0", "DDD"),
        ("ehlo", "550 5.0.0", "DDD"),
        ("ehlo", "slow:2", "DDD"),
        ("starttls", "454 4.7.0", "DDD"),
        ("starttls", "drop", "DDD"),
        ("starttls", "slow:2", "DDD"),
        ("auth", "454 4.7.0", "DDD"),
        ("auth", "421 4.3.2", "DDD"),
        ("auth", "drop", "DDD"),
        ("auth", "535 5.7.8", "PPP"),
        ("auth", "534 5.7.9", "PPP"),
    ],
)
def test_before_any_mail_everything_is_proof(point: str, action: str, expected: str) -> None:
    with SmtpCatcher(starttls=True, credentials=("user", "secret")) as catcher:
        catcher.script(point, action)
        outcomes = reach(catcher, timeout=0.4 if "slow" in action else 5.0).hand_over(three())
        assert kinds(outcomes) == expected
        assert "MAIL" not in catcher.commands
        assert not any("secret" in repr(one) or "user@" in repr(one) for one in outcomes.values())


def test_connection_refused() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused
        outcomes = Smtp(urlsplit(f"smtp://127.0.0.1:{held.getsockname()[1]}"), SENDER).hand_over(three())
    assert outcomes[1] == Deferred("connect: ECONNREFUSED")
    assert kinds(outcomes) == "DDD"
    assert kinds(Smtp(urlsplit("smtp://nowhere.invalid"), SENDER).hand_over(three())) == "DDD"


@pytest.mark.parametrize("how", [{}, {"starttls": True}, {"implicit": True}])
def test_mail_arrives_whole_and_encrypted_where_offered(how: dict[str, bool]) -> None:
    with SmtpCatcher(credentials=("us er", "p%40ss") if not how else ("user", "pass"), **how) as catcher:
        login = "us%20er:p%2540ss" if not how else "user:pass"
        url = f"{'smtps' if catcher.implicit else 'smtp'}://{login}@127.0.0.1:{catcher.port}"
        outcomes = reach(catcher, url=url).hand_over(three())
        assert kinds(outcomes) == "AAA"
        assert [mail.recipient for mail in catcher.messages] == [f"reader{number}@example.org" for number in (1, 2, 3)]
        assert {mail.sender for mail in catcher.messages} == {"digest@example.org"}
        assert {mail.text for mail in catcher.messages} == {filled(TEXT)}
        assert {mail.html for mail in catcher.messages} == {filled(HTML)}
        assert {mail.encrypted for mail in catcher.messages} == {bool(how)}
        assert None not in {mail.user for mail in catcher.messages}
        first = outcomes[1]
        assert isinstance(first, Accepted)
        assert first.ref


def test_untrusted_certificate_gets_no_mail_and_no_password() -> None:
    for how in ({"starttls": True}, {"implicit": True}):
        with SmtpCatcher(credentials=("user", "pass"), **how) as catcher:
            outcomes = reach(catcher, ca_file=None).hand_over(three())
            assert kinds(outcomes) == "DDD"
            assert "certificate" in repr(outcomes[1])
            assert not {"AUTH", "MAIL"} & set(catcher.commands)


def test_password_is_not_sent_in_the_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with SmtpCatcher(credentials=("user", "pass")) as catcher:
        there = socket.create_connection
        monkeypatch.setattr(socket, "create_connection", lambda _to, *more: there(("127.0.0.1", catcher.port), *more))
        outcomes = reach(catcher, url="smtp://user:pass@mail.example.org:587").hand_over(three())
        assert kinds(outcomes) == "PPP"
        assert "smtps://" in repr(outcomes[1])
        assert not {"AUTH", "MAIL"} & set(catcher.commands)


def test_server_that_cannot_log_in_pauses() -> None:
    with SmtpCatcher() as catcher:
        outcomes = reach(catcher, url=f"smtp://user:pass@127.0.0.1:{catcher.port}").hand_over(three())
        assert kinds(outcomes) == "PPP"
        odd = reach(catcher, url=f"smtp://user:p%C3%A4ss@127.0.0.1:{catcher.port}")
        assert kinds(odd.hand_over(three())) == "PPP"
    with SmtpCatcher(credentials=("user", "pass")) as catcher:
        odd = reach(catcher, url=f"smtp://user:p%C3%A4ss@127.0.0.1:{catcher.port}")
        assert kinds(odd.hand_over(three())) == "PPP"


def test_starttls_can_be_left_out_on_this_machine_only() -> None:
    with SmtpCatcher(starttls=True) as catcher:
        assert kinds(reach(catcher, url=f"{catcher.url}?tls=no", ca_file=None).hand_over(three())) == "AAA"
        assert not catcher.messages[0].encrypted


def test_connection_is_kept_between_windows_and_renewed_in_time() -> None:
    with SmtpCatcher() as catcher:
        server = reach(catcher)
        for start in (0, 30, 60, 90):
            assert set(kinds(server.hand_over([parcel(start + number) for number in range(30)]))) == {"A"}
        server.close()
        assert len(catcher.accepted) == 120
        assert catcher.connections == 2
        assert catcher.commands.count("QUIT") == 2


def test_connection_that_died_between_windows_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with SmtpCatcher() as catcher:
        server = reach(catcher)
        assert kinds(server.hand_over([parcel(1)])) == "A"
        catcher.hang_up()
        assert kinds(server.hand_over([parcel(2)])) == "A"
        assert catcher.connections == 2
        assert "NOOP" not in catcher.commands
        monkeypatch.setattr(session, "ASK_AFTER", 0.0)
        assert kinds(server.hand_over([parcel(3)])) == "A"
        assert catcher.connections == 2
        catcher.script("noop", "drop", times=1)
        assert kinds(server.hand_over([parcel(4)])) == "A"
        assert catcher.connections == 3
        catcher.script("quit", "drop")
        server.close()
        server.close()


def test_lost_connection_is_not_renewed_within_a_window() -> None:
    with SmtpCatcher() as catcher:
        catcher.script("rcpt", "550 5.1.1", times=1)
        catcher.script("rset", "drop", times=1)
        server = reach(catcher)
        outcomes = server.hand_over(three())
        assert kinds(outcomes) == "RDD"
        assert outcomes[3] == Deferred("not begun: the connection was lost")
        assert catcher.connections == 1
        assert kinds(server.hand_over(three())) == "AAA"


def test_slow_server_leaves_the_rest_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "BEGIN_WITHIN", 0.3)
    with SmtpCatcher() as catcher:
        catcher.script("dot", "accept-slow:0.4", times=1)
        outcomes = reach(catcher).hand_over(three())
        assert kinds(outcomes) == "ADD"
        assert outcomes[2] == Deferred("not begun: the server is slow")


def test_unexpected_end_never_leaves_half_a_mail_behind() -> None:
    class Stop(BaseException):
        pass

    class Breaks(dict[str, str]):
        def __getitem__(self, _name: str) -> str:
            raise Stop

    with SmtpCatcher() as catcher:
        server = reach(catcher)
        with pytest.raises(Stop):
            server.hand_over([parcel(1), replace(parcel(2), personal=Breaks()), parcel(3)])
        assert kinds(server.hand_over(three())) == "AAA"
        assert catcher.connections == 2
        assert catcher.accepted[-3:] == [(f"message{number}@example.org", 1) for number in (1, 2, 3)]


def test_rejected_recipient_does_not_stop_the_others() -> None:
    with SmtpCatcher() as catcher:
        bad = [
            parcel(2, address="a@example.org> <b@example.org"),
            parcel(3, address="a@example.org\r\nRCPT TO:<b@c.d>"),
        ]
        outcomes = reach(catcher).hand_over([parcel(1), *bad, parcel(4)])
        assert kinds(outcomes) == "ARRA"
        assert [mail.recipients for mail in catcher.messages] == [("reader1@example.org",), ("reader4@example.org",)]


def test_dots_and_commands_in_a_body_stay_in_it() -> None:
    words = "a\n.\n\r.\r\nMAIL FROM:<x@example.org>\r\n..\n.\nQUIT\n."
    with SmtpCatcher() as catcher:
        outcomes = reach(catcher).hand_over([parcel(1, of=letter(text=words, html="")), parcel(2)])
        assert kinds(outcomes) == "AA"
        # the end of a mail is the end of a line: one comes with the protocol
        assert catcher.messages[0].text.removesuffix("\n") == words.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("numbers", [(), (1,), tuple(range(50))])
def test_every_parcel_gets_an_outcome(numbers: Sequence[int]) -> None:
    with SmtpCatcher() as catcher:
        outcomes = reach(catcher).hand_over([parcel(number) for number in numbers])
        assert list(outcomes) == list(numbers)
        assert [len(mail.recipients) for mail in catcher.messages] == [1] * len(numbers)


def test_all_mails_of_a_window_bear_the_date_at_which_it_began() -> None:
    moments = [datetime(2026, 11, 24, 7, 0, second, 999_999, tzinfo=UTC) for second in (1, 2)]
    with SmtpCatcher() as catcher:
        server = reach(catcher, clock=lambda: moments.pop(0))
        server.hand_over(three())
        server.hand_over([parcel(4)])
        dates = [message_from_bytes(mail.raw)["Date"] for mail in catcher.messages]
        assert dates == ["Tue, 24 Nov 2026 07:00:01 +0000"] * 3 + ["Tue, 24 Nov 2026 07:00:02 +0000"]


def test_certificates_are_loaded_once_per_file() -> None:
    with SmtpCatcher(implicit=True) as one, SmtpCatcher(implicit=True) as other:
        for catcher in (one, other, one):
            assert kinds(reach(catcher).hand_over(three())) == "AAA"
        assert kinds(reach(one, ca_file=str(other.ca_file)).hand_over(three())) == "DDD"
