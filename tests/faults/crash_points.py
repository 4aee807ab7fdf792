"""S22: a mail server drops the connection at each phase; what the provider calls it, and what was taken."""

import time
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.lib.clock import utcnow
from newsletter.lib.mail.headers import SenderIdentity
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel
from newsletter.providers.smtp.provider import Smtp
from tests.fakes.smtp import SmtpCatcher
from tests.faults.checker import Verdict
from tests.faults.environment import Result

#: Where the connection ends, and what each place proves (RFC 5321: only the end of the data makes a mail theirs). In the
#: middle of a mail its last bytes may lie in this machine's own buffers when the drop is seen: then doubt is honest too.
MATRIX: dict[tuple[str, str], frozenset[str]] = {
    ("connect", "drop"): frozenset({"Deferred"}),
    ("ehlo", "drop"): frozenset({"Deferred"}),
    ("mail", "drop"): frozenset({"Deferred"}),
    ("rcpt", "drop"): frozenset({"Deferred"}),
    ("data", "drop"): frozenset({"Deferred"}),
    ("body", "drop"): frozenset({"Deferred", "Unknown"}),
    ("dot", "drop"): frozenset({"Unknown"}),
    ("dot", "accept-drop"): frozenset({"Unknown"}),
    ("quit", "drop"): frozenset({"Accepted"}),
}
#: Where the server took the mail before it dropped the line.
TAKEN = (("dot", "accept-drop"), ("quit", "drop"))
_SENDER = SenderIdentity(
    "Digest", "digest@news.example.org", "Digest", "editor@news.example.org", "https://news.example.org"
)
_LETTER = Letter(1, "alert", "Your update", "Text @@nl-reference@@", "<p>@@nl-reference@@</p>")


@dataclass(frozen=True)
class Told:
    """How often the provider said each class, and how often the server took each mail (Message-ID)."""

    classes: Counter[str]
    taken: Counter[str]


def handed_over(place: tuple[str, str], rounds: int) -> Told:
    """So many mails, a connection each."""
    told: Counter[str] = Counter()
    with SmtpCatcher() as server:
        server.script(*place)
        for number in range(rounds):
            provider = Smtp(urlsplit(server.url), _SENDER, clock=utcnow, timeout=5, answer_within=5)
            told.update(type(one).__name__ for one in provider.hand_over([_parcel(number)]).values())
            provider.close()
        return Told(told, Counter(message for message, _ in server.accepted))


def broken(place: tuple[str, str], told: Told, rounds: int) -> list[str]:
    """What is not as the table says, in words."""
    wrong = sum(times for kind, times in told.classes.items() if kind not in MATRIX[place])
    taken = rounds if place in TAKEN else 0
    found = [f"{wrong} of the wrong class: {dict(told.classes)}"] if wrong else []
    found += [f"{sum(told.classes.values())} answers of {rounds}"] if told.classes.total() != rounds else []
    found += [f"{len(told.taken)} taken, not {taken}"] if len(told.taken) != taken else []
    return [*found, *(f"{message} taken {times} times" for message, times in told.taken.items() if times > 1)]


def confused(rounds: int) -> Result:
    """The whole matrix."""
    began = time.monotonic()
    matrix = {place: handed_over(place, rounds) for place in MATRIX}
    classes = sum((told.classes for told in matrix.values()), Counter[str]())
    doubtful = {place: told.classes["Unknown"] for place, told in matrix.items()}
    verdict = Verdict(
        planned=rounds * len(MATRIX),
        by_state={kind.lower(): number for kind, number in classes.items()},
        double=sum(times > 1 for told in matrix.values() for times in told.taken.values()),
        lost=0,
        stuck=0,
        denied=sum(len(told.taken) for place, told in matrix.items() if "Deferred" in told.classes),
        unknown_taken=sum(number for place, number in doubtful.items() if place in TAKEN),
        unknown_never=sum(number for place, number in doubtful.items() if place not in TAKEN),
    )
    facts = {" ".join(place): dict(told.classes) for place, told in matrix.items()}
    promises = {
        f"{' '.join(place)}: {words}": False for place, told in matrix.items() for words in broken(place, told, rounds)
    }
    return Result(verdict, 0, time.monotonic() - began, [], facts, promises)


def _parcel(number: int) -> Parcel:
    personal = dict.fromkeys(("unsubscribe", "ask", "link"), "https://news.example.org/x") | {"reference": "7K3F"}
    return Parcel(number, Address(f"reader{number}@example.org"), _LETTER, personal, f"{number}@news.example.org", "d")
