"""The screen of `status`: whether the service runs, what came in and went out, what needs attention, then the rest."""

from collections.abc import Iterable, Iterator
from typing import Any

from newsletter.cli.output import counted, when
from newsletter.cli.service.outbox_place import outbox_place
from newsletter.cli.service.problem_words import sentence
from newsletter.status.problem import Problem

_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def lines(figures: dict[str, Any], problems: Iterable[Problem]) -> Iterator[str]:
    """The lines of the screen. Nothing of a problem is repeated elsewhere."""
    yield "The service is running." if figures["running"] else "The service is NOT running."
    day = figures["last_day"]
    yield (
        f"Last 24 hours: {counted(day['items'], 'new item')}, {counted(day['mails'], 'mail')} sent, "
        f"{counted(day['confirmed'], 'subscriber')} confirmed."
    )
    yield ""
    open_problems = list(problems)
    yield f"{counted(len(open_problems), 'thing needs', 'things need')} you:" if open_problems else "Nothing needs you."
    yield from (f"- {sentence(problem)}" for problem in open_problems)
    yield ""
    yield from (f"{label:12} {value}" for label, value in _rows(figures))


def _rows(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "sending", "PAUSED" if figures["sending_paused_by"] else "open"
    yield "workers", _workers(figures["workers"])
    yield "feeds", _by_state(figures["feeds"])
    yield "items", str(figures["items"])
    yield "topics", f"{figures['topics']['curated']}, and {counted(figures['topics']['own'], 'keyword')} of subscribers"
    yield "subscribers", _by_state(figures["subscribers"])
    if waiting := sum(figures["requests_waiting"].values()):
        yield "requests", f"{waiting} from public forms, waiting to be handled"
    yield "mails", _by_state(figures["deliveries"])
    yield from (("daily cap", daily_cap(row)) for row in figures["days"])
    yield from (("came back", came_back(row)) for row in figures["reputation"])
    yield "next digest", f"{when(figures['next_slot_at'])} UTC" if figures["next_slot_at"] else "none planned"
    yield "web pages", figures["web"]
    to_files = figures["mail"] == "outbox"
    yield "mail goes", f"to files, nothing is sent: {outbox_place()}" if to_files else f"out by {figures['mail']}"
    yield "stored in", f"{_DATABASES.get(figures['database'], figures['database'])}, broker {figures['broker']}"


def _by_state(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none yet"


def _workers(processes: list[dict[str, Any]]) -> str:
    """Each process that sends, and how many died within a day."""
    shown = [
        f"{process['host']} ({process['pid']}), version {process['version']}, last seen {process['silent_seconds']} s ago"
        for process in processes
        if not process["dead"]
    ]
    if dead := sum(process["dead"] for process in processes):
        shown.append(f"{dead} died within a day")
    return f"\n{'':13}".join(shown) or "none"


def daily_cap(row: dict[str, Any]) -> str:
    """How much of a provider's daily cap is used."""
    used = f"{row['provider']}: {row['used']} of {counted(row['cap'], 'mail')}"
    if not row["waiting"]:
        return used
    return f"{used}, waiting for the daily cap: {counted(row['waiting'], 'mail')}, until {when(row['next_day'])} UTC"


def came_back(row: dict[str, Any]) -> str:
    """What came back of a provider's mails."""
    return (
        f"{row['provider']}: {counted(row['bounces'], 'bounce')} ({row['bounce_share']:.2%}), "
        f"{counted(row['complaints'], 'complaint')} ({row['complaint_share']:.3%}) of "
        f"{counted(row['accepted'], 'mail')} accepted in 72 hours"
    )
