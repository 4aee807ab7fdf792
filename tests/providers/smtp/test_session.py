"""SMTP over several pipelined connections: what one loses stays its own, and never more than one mail each."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Rejected, Unknown
from newsletter.providers.smtp import provider as provider
from newsletter.providers.smtp.provider import Smtp
from tests.fakes.smtp import SmtpCatcher
from tests.providers.pieces import SENDER, filled, letter, parcel


def reach(catcher: SmtpCatcher, connections: int = 1, **more: Any) -> Smtp:
    query = f"connections={connections}&per_domain={more.pop('per_domain', connections)}"
    ca_file = str(catcher.ca_file)
    return Smtp(urlsplit(f"{catcher.url}?{query}"), SENDER, **{"ca_file": ca_file, "timeout": 5.0} | more)


def hand_over(server: Smtp, count: int) -> dict[int, Outcome]:
    return server.hand_over([parcel(number) for number in range(count)])


def of(outcomes: dict[int, Outcome], kind: type) -> set[int]:
    return {number for number, outcome in outcomes.items() if isinstance(outcome, kind)}


def taken(catcher: SmtpCatcher) -> list[int]:
    return sorted(int(name.removeprefix("message").partition("@")[0]) for name, _ in catcher.accepted)


@pytest.mark.parametrize("how", [{}, {"pipelining": False}, {"starttls": True}, {"implicit": True}])
def test_all_of_a_window_over_several_connections(how: dict[str, bool]) -> None:
    with SmtpCatcher(**how) as catcher:
        server = reach(catcher, 4)
        assert of(hand_over(server, 50), Accepted) == set(range(50))
        assert of(hand_over(server, 50), Accepted) == set(range(50))
        assert taken(catcher) == sorted([*range(50), *range(50)])
        assert {mail.text for mail in catcher.messages} == {filled(letter().text)}
        assert all(len(mail.recipients) == 1 for mail in catcher.messages)
        assert all(
            mail.recipient == f"reader{mail.message_id[7:].partition('@')[0]}@example.org" for mail in catcher.messages
        )
        assert catcher.connections == 4
        assert catcher.early == []
        server.close()
        assert catcher.commands.count("QUIT") == 4


def test_few_mails_open_few_connections() -> None:
    with SmtpCatcher() as catcher:
        server = reach(catcher, 4)
        hand_over(server, 3)
        assert catcher.connections == 1
        hand_over(server, 10)
        assert catcher.connections == 2


@pytest.mark.parametrize("point", ["mail", "rcpt", "data", "body", "dot"])
@pytest.mark.parametrize("action", ["drop", "accept-drop"])
def test_a_connection_that_breaks_leaves_the_others_alone(point: str, action: str) -> None:
    if action == "accept-drop" and point != "dot":
        action = "drop"
    with SmtpCatcher() as catcher:
        catcher.script(point, action, skip=7, times=1)
        outcomes = hand_over(reach(catcher, 4), 50)
        doubtful, put_off = of(outcomes, Unknown), of(outcomes, Deferred)
        assert len(doubtful) <= 1, "no more than the one whose end was written"
        assert 1 <= len(doubtful | put_off) <= 2, "and at most the one after it, which was not begun"
        assert of(outcomes, Accepted) == set(range(50)) - doubtful - put_off
        assert set(taken(catcher)) - doubtful == of(outcomes, Accepted)
        assert len(taken(catcher)) == len(set(taken(catcher)))
        if point in ("mail", "rcpt", "data"):
            assert not doubtful


def test_every_connection_lost_at_its_end_is_one_doubt_each() -> None:
    with SmtpCatcher() as catcher:
        catcher.script("dot", "accept-drop", skip=10)
        outcomes = hand_over(reach(catcher, 4), 50)
        assert len(of(outcomes, Accepted)) == 10
        assert len(of(outcomes, Unknown)) == 4
        assert set(taken(catcher)) == of(outcomes, Accepted) | of(outcomes, Unknown)
        assert len(of(outcomes, Deferred)) == 36
        assert Deferred("not begun: the connection was lost") in outcomes.values()


def test_a_silent_connection_is_one_doubt_and_the_others_go_on() -> None:
    with SmtpCatcher() as catcher:
        catcher.script("dot", "accept-slow:1.5", skip=5, times=1)
        outcomes = hand_over(reach(catcher, 3, answer_within=0.5), 50)
        assert len(of(outcomes, Unknown)) == 1
        assert len(of(outcomes, Deferred)) <= 1
        assert len(of(outcomes, Accepted)) >= 48


def test_no_for_good_stops_all_connections() -> None:
    with SmtpCatcher() as catcher:
        catcher.script("mail", "550 5.7.1", skip=10)
        outcomes = hand_over(reach(catcher, 4), 50)
        paused = {outcome for outcome in outcomes.values() if isinstance(outcome, Deferred)}
        assert paused == {Deferred("MAIL: 550 5.7.1", pause=True)}
        assert set(taken(catcher)) == of(outcomes, Accepted)
        assert 7 <= len(taken(catcher)) <= 10, "whose body had not left when the no came was not begun"


@pytest.mark.parametrize("pipelining", [False, True])
def test_refused_recipient_of_a_server_that_says_354_nevertheless(pipelining: bool) -> None:
    """RFC 2920, 3.1: then a lone dot ends it; nobody gets an empty mail, and the connection goes on."""
    with SmtpCatcher(eager=True, pipelining=pipelining) as catcher:
        catcher.script("rcpt", "550 5.1.1", skip=2, times=2)
        outcomes = hand_over(reach(catcher), 8)
        assert of(outcomes, Rejected) == {2, 3}
        assert taken(catcher) == [0, 1, 4, 5, 6, 7]
        assert catcher.for_nobody == ([b"", b""] if pipelining else [])
        assert catcher.connections == 1


def test_second_connection_that_is_not_allowed_is_done_without() -> None:
    with SmtpCatcher() as catcher:
        catcher.script("connect", "421 4.7.0", skip=1)
        server = reach(catcher, 4)
        assert len(of(hand_over(server, 50), Accepted)) == 50
        assert catcher.connections == 2
        assert len(of(hand_over(server, 50), Accepted)) == 50
        assert catcher.connections == 2, "it is not asked again with every window"


def test_a_domain_has_no_more_at_once_than_it_may() -> None:
    with SmtpCatcher() as catcher:
        for number in range(1000):
            catcher.script("dot", "slow:0.01", skip=number, times=1)
        server = reach(catcher, 4, per_domain=1)
        mixed = [
            parcel(number, address=f"a{number}@{'big' if number % 2 else f'small{number}'}.example")
            for number in range(24)
        ]
        outcomes = server.hand_over(mixed)
        assert of(outcomes, Accepted) == set(range(24))
        assert catcher.most_at_once["big.example"] == 1
        assert catcher.most_at_once["small0.example"] == 1


def test_without_a_domain_limit_one_connection_is_pipelined() -> None:
    with SmtpCatcher() as catcher:
        catcher.script("dot", "accept-drop", skip=1, times=1)
        outcomes = Smtp(urlsplit(f"{catcher.url}?connections=1"), SENDER).hand_over([parcel(n) for n in range(4)])
        assert of(outcomes, Accepted) == {0}
        assert of(outcomes, Unknown) == {1}
        assert repr(outcomes[2]).startswith("Deferred(reason='MAIL: "), (
            "its envelope had left with the end of the one before"
        )
        assert outcomes[3] == Deferred("not begun: the connection was lost")


def test_connections_are_renewed_in_the_middle_of_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "RENEW_AFTER", 7)
    with SmtpCatcher() as catcher:
        assert of(hand_over(reach(catcher, 2), 50), Accepted) == set(range(50))
        assert taken(catcher) == list(range(50))
        assert catcher.connections >= 8
        catcher.script("connect", "421 4.3.2")
        outcomes = hand_over(reach(catcher, 1), 3)
        assert set(outcomes.values()) == {Deferred("connect: 421 4.3.2")}


def test_renewal_that_fails_leaves_the_rest_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "RENEW_AFTER", 7)
    with SmtpCatcher() as catcher:
        catcher.script("connect", "421 4.3.2", skip=1)
        outcomes = hand_over(reach(catcher), 20)
        assert of(outcomes, Accepted) == set(range(7))
        assert outcomes[7] == Deferred("connect: 421 4.3.2")


def test_renewal_that_fails_leaves_the_other_connections_their_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "RENEW_AFTER", 7)
    with SmtpCatcher() as catcher:
        catcher.script("connect", "421 4.3.2", skip=2)
        outcomes = hand_over(reach(catcher, 2), 50)
        assert of(outcomes, Accepted) == set(taken(catcher))
        assert len(taken(catcher)) == 14, "each connection had its seven"
        assert {outcome for outcome in outcomes.values() if isinstance(outcome, Deferred)} == {
            Deferred("connect: 421 4.3.2")
        }


def test_bad_address_among_several_connections() -> None:
    with SmtpCatcher() as catcher:
        mails = [parcel(number) for number in range(20)]
        mails[5] = replace(mails[5], message_id="a b@c")
        mails[11] = parcel(11, address="a@example.org> <b@example.org")
        outcomes = reach(catcher, 3).hand_over(mails)
        assert of(outcomes, Rejected) == {5, 11}
        assert list(outcomes) == list(range(20))
        assert len(catcher.accepted) == 18
