"""What needs somebody's attention, each in a sentence with what to do: for `status`, and for `doctor`."""

from collections.abc import Iterator
from typing import Any

from newsletter.cli.output import counted, when
from newsletter.cli.service.status_figures import SILENT

#: Feeds of such health need attention.
UNWELL = ("broken", "late", "silent", "ended", "quarantined")
NOT_RUNNING = "no worker runs, so nothing is read or sent: start the service with 'newsletter run'"
NO_WORK_DONE = (
    f"no worker has looked for due work for {SILENT.total_seconds() / 60:.0f} minutes, although one is alive: "
    "restart the service"
)
RESUME = "'newsletter sending resume' opens it"
SIGN_UPS_SLOWED = "sign-ups are slowed down: many confirmation mails of the last day bounced or were reported as spam"
_ADVICE = {
    "unknown": (
        "may have arrived or not: list them with 'newsletter deliveries list --state unknown', see one with "
        "'newsletter deliveries explain', then resolve or retry it"
    ),
    "parked": "for you to decide: see 'newsletter deliveries list --state parked'",
    "failed": "that the provider refused for good: see 'newsletter deliveries list --state failed'",
}


def problems(figures: dict[str, Any]) -> Iterator[str]:
    """Everything that needs attention, the gravest first. Nothing of it is repeated elsewhere on the screen."""
    if not figures["running"]:
        yield not_running(figures)
    yield from sending_problems(figures)
    yield from (held_up(row) for row in figures["held_up"])
    for state in _ADVICE:
        if count := figures["deliveries"].get(state):
            yield deliveries(state, count)
    if unwell := unwell_feeds(figures):
        yield unwell
    if figures["incidents"]:
        yield open_incidents(figures["incidents"])
    yield from (warning for provider in figures["reputation"] for warning in provider["warnings"])
    if figures["sign_ups_slowed"]:
        yield SIGN_UPS_SLOWED
    if number := figures["left_over_overdue"]:
        yield (
            f"{counted(number, 'article')} waiting for room in a mail for more than 10 days: a topic matches too much, "
            "see 'newsletter topics list'"
        )
    if number := figures["slots_skipped"]:
        yield (
            f"{counted(number, 'digest')} of the last 7 days skipped, more than 6 hours late: the next ones have all "
            "that was left out"
        )
    yield from _missing(figures)


def not_running(figures: dict[str, Any]) -> str:
    """Why nothing is done at present, and what to do."""
    return NO_WORK_DONE if any(not process["dead"] for process in figures["workers"]) else NOT_RUNNING


def sending_problems(figures: dict[str, Any]) -> Iterator[str]:
    """Why mail does not leave: sending as a whole, then each provider."""
    if paused_by := figures["sending_paused_by"]:
        yield f"sending is PAUSED by {paused_by}: {RESUME}"
    yield from provider_problems(figures)


def provider_problems(figures: dict[str, Any]) -> Iterator[str]:
    """Each provider that is paused, left alone or out of reach."""
    alone = {row["provider"] for row in figures["providers_left_alone"]}
    for row in figures["providers"]:
        name, waiting = row["provider"], counted(row["planned"], "mail waits", "mails wait")
        if not row["open"]:
            yield f"{name} is PAUSED ({row['paused_by']}), {waiting}: 'newsletter sending resume --provider {name}' opens it"
        elif row["out_since"] and name not in alone:
            yield (
                f"{name} has taken nothing since {when(row['out_since'])} UTC ({row['out_why']}), {waiting}: "
                "'newsletter sending move' hands them to the other provider"
            )
    for row in figures["providers_left_alone"]:
        yield (
            f"{row['provider']} left {counted(row['in_a_row'], 'mail')} in doubt in a row: one mail is tried at "
            f"{row['next_probe_at']:%H:%M} UTC, the others wait"
        )


def held_up(row: dict[str, Any]) -> str:
    """Mails that stand still with a late or dead worker: since when, and until when."""
    if row["host"] is None:
        holder = "a worker that has ended"
    else:
        holder = f"worker {row['host']} ({row['pid']}), last seen at {row['seen_at']:%H:%M:%S} UTC"
    held = f"{counted(row['batches'], 'batch', 'batches')} of {counted(row['mails'], 'mail')}"
    are = "is" if row["batches"] == 1 else "are"
    return f"{held} {are} held by {holder}: taken back at {row['until']:%H:%M:%S} UTC"


def deliveries(state: str, count: int) -> str:
    """How many mails are in a state that needs attention, and what to do."""
    return f"{counted(count, f'{state} mail')} {_ADVICE[state]}"


def unwell_feeds(figures: dict[str, Any]) -> str:
    """The feeds that need attention; empty if there are none."""
    unwell = {health: figures["feeds"][health] for health in UNWELL if figures["feeds"].get(health)}
    if not unwell:
        return ""
    number = sum(unwell.values())
    which = ", ".join(f"{count} {health}" for health, count in unwell.items())
    return f"{counted(number, 'feed needs', 'feeds need')} a look ({which}): see 'newsletter feeds list'"


def open_incidents(number: int) -> str:
    """How many incidents are open, and where to see them."""
    return f"{counted(number, 'open incident')} of feeds: see 'newsletter feeds incidents'"


def _missing(figures: dict[str, Any]) -> Iterator[str]:
    """What a new installation has not got yet."""
    if not figures["feeds"]:
        yield "no feeds yet: add one with 'newsletter feeds add URL'"
    if not figures["topics"]["curated"]:
        yield "no topics yet: add one with 'newsletter topics add NAME --query QUERY'"
    if not figures["subscribers"]["active"]:
        yield f"no active subscribers yet: people subscribe at {figures['web']}, or use 'newsletter subscribers add'"
