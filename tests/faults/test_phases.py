"""S22: a mail server drops the connection at each phase; the class is exactly that of the table, and nothing is taken twice."""

from collections import Counter
from urllib.parse import urlsplit

import pytest

from newsletter.clock import utcnow
from newsletter.handover import Address, Letter, Parcel
from newsletter.mail import Sender
from newsletter.providers.smtp import Smtp
from tests.fakes.smtp import SmtpCatcher

ROUNDS = 60
#: Where the connection ends, and what each place proves (RFC 5321: only the end of the data makes a mail theirs).
MATRIX = {
    ("connect", "drop"): "Deferred",
    ("ehlo", "drop"): "Deferred",
    ("mail", "drop"): "Deferred",
    ("rcpt", "drop"): "Deferred",
    ("data", "drop"): "Deferred",
    ("dot", "drop"): "Unknown",
    ("dot", "accept-drop"): "Unknown",
    ("quit", "drop"): "Accepted",
}
SENDER = Sender("Digest", "digest@news.example.org", "Digest", "editor@news.example.org", "https://news.example.org")
LETTER = Letter(1, "alert", "Your update", "Text @@nl-reference@@", "<p>@@nl-reference@@</p>")


def parcel(number: int) -> Parcel:
    personal = dict.fromkeys(("unsubscribe", "ask", "link"), "https://news.example.org/x") | {"reference": "7K3F"}
    return Parcel(number, Address(f"reader{number}@example.org"), LETTER, personal, f"{number}@news.example.org", "d")


def handed_over(place: tuple[str, str]) -> tuple[Counter[str], Counter[str]]:
    """(classes told, Message-IDs taken) of as many mails as there are rounds, a connection each."""
    told: Counter[str] = Counter()
    with SmtpCatcher() as server:
        server.script(*place)
        for number in range(ROUNDS):
            carrier = Smtp(urlsplit(server.url), SENDER, clock=utcnow, timeout=5, answer_within=5)
            told.update(type(one).__name__ for one in carrier.hand_over([parcel(number)]).values())
            carrier.close()
        return told, Counter(message for message, _ in server.accepted)


@pytest.mark.parametrize(
    ("place", "expected"), MATRIX.items(), ids=lambda value: "-".join(value) if isinstance(value, tuple) else value
)
def test_the_class_is_that_of_the_table(place: tuple[str, str], expected: str) -> None:
    told, taken = handed_over(place)
    assert told == {expected: ROUNDS}
    assert len(taken) == (ROUNDS if place in (("dot", "accept-drop"), ("quit", "drop")) else 0)
    assert max(taken.values(), default=1) == 1


def test_a_drop_in_the_middle_of_the_mail_is_never_taken_for_a_yes() -> None:
    """The last bytes may lie in this machine's own buffers when the drop is seen: then it is called unknown, and only then."""
    told, taken = handed_over(("body", "drop"))
    assert not taken
    assert set(told) <= {"Deferred", "Unknown"}
