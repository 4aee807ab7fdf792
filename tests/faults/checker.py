"""What the provider's own log says against what the database says, and nothing else: double, lost, stuck, unknown."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from newsletter.lib.crypto import Vault, parse_keys
from tests.faults.ledger import Ledger

FINAL = frozenset({"accepted", "failed", "cancelled", "unknown", "parked"})


@dataclass(frozen=True)
class Verdict:
    """Numbers of mails. `unknown_taken` and `unknown_never` split the unknown: only the judge can know."""

    planned: int
    by_state: dict[str, int]
    double: int
    lost: int
    stuck: int
    #: Taken by the provider, though the database says that it was surely not.
    denied: int
    unknown_taken: int
    unknown_never: int

    @property
    def unknown(self) -> int:
        return self.unknown_taken + self.unknown_never

    @property
    def broken(self) -> list[str]:
        """What was promised and not kept: nothing lost, nothing twice, nothing stuck, nothing denied, and the sum closes."""
        counted = {
            "twice": self.double,
            "lost": self.lost,
            "stuck": self.stuck,
            "taken, and said not to be": self.denied,
            "planned and not in the sum": self.planned - sum(self.by_state.values()),
        }
        return [f"{number} {words}" for words, number in counted.items() if number]


def keys(data_dir: Path) -> Vault:
    """The keys of an installation."""
    lines = (data_dir / "keys").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    return Vault(found["SECRET_KEY"].encode(), *parse_keys(found["ADDRESS_KEYS"]))


def taken(log: Path, vault: Vault, purpose: str) -> Counter[int]:
    """How often the provider took each delivery. A log's line begins with the token, at SMTP the Message-ID."""
    counted: Counter[int] = Counter()
    for line in log.read_text().splitlines() if log.exists() else ():
        read = vault.read_token(purpose, line.split()[0].partition("@")[0])
        assert read is not None, "the provider took what nobody sent"
        counted[read[0]] += 1
    return counted


def judge(planned: int, log: Counter[int], ledger: Ledger) -> Verdict:
    """Compare. `planned` is the number of mails that the scenario planned: the database is not asked for it."""
    states = ledger.states()
    foreign = set(log) - set(states)
    assert not foreign, "the provider took deliveries that the database does not know"
    unknown = _in(states, "unknown")
    return Verdict(
        planned=planned,
        by_state=dict(sorted(Counter(states.values()).items())),
        double=sum(times > 1 for times in log.values()),
        lost=sum(number not in log for number in _in(states, "accepted")),
        stuck=sum(state not in FINAL for state in states.values()),
        denied=sum(number in log for number in (*_in(states, "failed"), *_in(states, "cancelled"))),
        unknown_taken=sum(number in log for number in unknown),
        unknown_never=sum(number not in log for number in unknown),
    )


def _in(states: dict[int, str], state: str) -> Iterable[int]:
    return [number for number, one in states.items() if one == state]
