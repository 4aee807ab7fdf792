"""What a fake server was told to do wrong, when, and how often."""

import threading
from dataclasses import dataclass


@dataclass
class Rule:
    """Do `action` at `point`, after letting `skip` pass, `times` times (None: always)."""

    point: str
    action: str
    skip: int = 0
    times: int | None = None


class Rules:
    """The rules of one server; the first that applies is used up."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, point: str) -> str:
        """The action for this moment at `point`, or an empty string."""
        with self._lock:
            for rule in self._rules:
                if rule.point != point:
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.times is None:
                    return rule.action
                if rule.times:
                    rule.times -= 1
                    return rule.action
        return ""
