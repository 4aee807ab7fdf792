"""Read the settings that limit how fast and how much is mailed. By default nothing is limited.

The limit of a named provider (`sendgrid=100`) precedes that of `*`, which is all others; a bare number means `*`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

from newsletter.lib.mail.provider_ids import NUMBERS

T = TypeVar("T")

#: The providers that may be named.
NAMES: Final = (*NUMBERS, *(f"{kind}-2" for kind in NUMBERS))
#: Mails of the first, second, … day of a sender that nobody knows yet; after the last the plan limits nothing.
STANDARD_PLAN: Final = (
    100, 200, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 125_000, 250_000, 500_000, 1_000_000
)  # fmt: skip
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,62})\.)+[a-z0-9-]{2,63}")
_FASTEST: Final = 1_000_000
_MOST: Final = 1_000_000_000


@dataclass(frozen=True)
class WarmUp:
    """A plan that grows day by day from `start`; `plan` holds mails per day (UTC)."""

    start: date
    plan: tuple[int, ...] = STANDARD_PLAN

    def on(self, day: date) -> int | None:
        """Return the most mails of a day, or None if the plan is over. Before its start the first figure holds."""
        number = max((day - self.start).days, 0)
        return self.plan[number] if number < len(self.plan) else None


@dataclass(frozen=True)
class RateLimits:
    """Paces in mails per second, caps in mails per day (UTC); by provider name, or by domain."""

    paces: Mapping[str, float] = field(default_factory=dict)
    #: Domain → (the first domain of its group, the group's pace): domains of one group share a pace.
    domains: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    caps: Mapping[str, int] = field(default_factory=dict)
    warm_ups: Mapping[str, WarmUp] = field(default_factory=dict)

    @property
    def paced(self) -> bool:
        """True if mail may wait for seconds; then it is looked for every second."""
        return bool(self.paces or self.domains)

    def pace(self, provider: str) -> float | None:
        """Return the mails per second of a provider, or None if they are not limited."""
        return self.paces.get(provider, self.paces.get("*"))

    def of_domain(self, domain: str) -> tuple[str, float] | None:
        """Return (first domain of the group, mails per second) for a recipient domain in lower case, or None if not limited."""
        pace = self.domains.get(domain)
        if pace is None and "*" in self.domains:
            return domain, self.domains["*"][1]
        return pace

    def cap(self, provider: str, day: date) -> int | None:
        """The most mails of a provider on a day (UTC): the smaller of cap and warm-up plan, or None if neither is set."""
        plan = self.warm_ups.get(provider, self.warm_ups.get("*"))
        figures = (self.caps.get(provider, self.caps.get("*")), plan.on(day) if plan else None)
        return min((figure for figure in figures if figure is not None), default=None)

    def limits(self, provider: str) -> bool:
        """True if any limit applies to a provider."""
        by_name = (self.paces, self.caps, self.warm_ups)
        return bool(self.domains) or any(provider in limits or "*" in limits for limits in by_name)


def read(*, pace: str, domain_pace: str, daily_cap: str, warm_up: str) -> RateLimits:
    """Read the four settings, each as in the environment.

    Raises:
        ValueError: (name of the setting, what to write instead).
    """
    return RateLimits(
        paces=_each("PACE", pace, _rate, _provider),
        domains=_domains(domain_pace),
        caps=_each("DAILY_CAP", daily_cap, _count, _provider),
        warm_ups=_each("WARM_UP", warm_up, _warm_up, _provider),
    )


def _each(name: str, text: str, value: Callable[[str], T], key: Callable[[str], str]) -> dict[str, T]:
    values: dict[str, T] = {}
    for part in _parts(text):
        left, equals, right = part.rpartition("=")
        try:
            checked_key, checked = key(left) if equals else "*", value(right)
        except ValueError as error:
            raise ValueError(name, f"{part!r}: {error}") from error
        if checked_key in values:
            raise ValueError(name, f"{part!r}: said twice, keep one of them")
        values[checked_key] = checked
    return values


def _domains(text: str) -> dict[str, tuple[str, float]]:
    paces: dict[str, tuple[str, float]] = {}
    for group, rate in _each("DOMAIN_PACE", text, _rate, str.lower).items():
        names = [_domain(name) for name in group.split("+")]
        for name in names:
            if name in paces:
                raise ValueError("DOMAIN_PACE", f"{name!r}: said twice, keep one of them")
            paces[name] = (names[0], rate)
    return paces


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _domain(name: str) -> str:
    if name == "*":
        return name
    try:
        ascii_name = name.encode("idna").decode()
    except UnicodeError:
        ascii_name = ""
    if not _DOMAIN.fullmatch(ascii_name):
        raise ValueError("DOMAIN_PACE", f"{name!r} is not a domain: write gmail.com=20, or *=5 for all others")
    return ascii_name


def _provider(name: str) -> str:
    if name not in (*NAMES, "*"):
        raise ValueError(f"{name!r} is not one of {', '.join(NAMES)} or *")
    return name


def _rate(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", text, re.ASCII) or not 0 < float(text) <= _FASTEST:
        raise ValueError("write mails per second, for example 20 or 0.5")
    return float(text)


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or not 0 < int(text) <= _MOST:
        raise ValueError("write mails per day, for example 5000")
    return int(text)


def _warm_up(text: str) -> WarmUp:
    start, colon, plan = text.partition(":")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", start, re.ASCII):
        raise ValueError(
            "write the first day, for example 2026-11-24, or with a plan of your own 2026-11-24:100/200/500"
        )
    first_day = date.fromisoformat(start)
    return WarmUp(first_day, tuple(_count(part) for part in plan.split("/"))) if colon else WarmUp(first_day)
