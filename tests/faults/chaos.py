"""A provider's bad days, from a seed: which answer each request gets."""

import random
import threading
from collections import Counter
from collections.abc import Mapping

from tests.fakes.rules import Rules

#: What a request may meet (see tests/fakes/sendgrid.py), in parts of the chaos.
SENDGRID: Mapping[str, float] = {
    "429": 3, "500": 1, "503": 1, "accept-500": 1, "accept-drop": 1, "drop": 1, "half": 1, "accept-half": 1, "slow:3": 1,
}  # fmt: skip
#: (point, action) that a conversation may meet (see tests/fakes/smtp.py).
SMTP: Mapping[tuple[str, str], float] = {
    (point, "drop"): 1 for point in ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot")
} | {("rcpt", "451 4.3.0"): 1, ("dot", "accept-drop"): 1, ("dot", "451 4.3.0"): 1, ("connect", "421 4.3.2"): 1}


class Chaos(Rules):
    """In place of a fake's rules: `share` of the requests go wrong; the others are answered after `pace` seconds."""

    def __init__(self, seed: int, share: float, pace: float = 0.0, kinds: Mapping[str, float] = SENDGRID) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._chance = threading.Lock()
        self._share, self._pace, self._kinds = share, pace, kinds
        self.met: Counter[str] = Counter()

    def take(self, point: str) -> str:
        scripted = super().take(point)
        if scripted:
            return scripted
        with self._chance:
            bad = self._random.random() < self._share
            mode = self._random.choices(list(self._kinds), list(self._kinds.values()))[0] if bad else ""
            wait = self._random.uniform(0.5, 1.5) * self._pace
        self.met[mode] += 1
        return mode or (f"slow:{wait:.3f}" if wait else "")


class SmtpChaos(Rules):
    """The same for conversations: each point goes wrong with `share` of its own."""

    def __init__(self, seed: int, share: float) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._chance = threading.Lock()
        self._share = share
        self.met: Counter[str] = Counter()

    def take(self, point: str) -> str:
        with self._chance:
            actions = [action for (at, action) in SMTP if at == point]
            if not actions or self._random.random() >= self._share:
                return ""
            action = self._random.choice(actions)
        self.met[f"{point} {action}"] += 1
        return action
