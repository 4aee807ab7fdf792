"""Open the gate for all mail again: for the command, and for the button of the desk."""

from datetime import datetime

from newsletter.audit.actor import Actor
from newsletter.delivery.gates import provider_gate, sending_gate
from newsletter.delivery.gates.host_guard import HostGuard
from newsletter.delivery.gates.provider_gate import PausedProvider
from newsletter.lib.refused import Refused


def resume_sending(guard: HostGuard, *, now: datetime, actor: Actor) -> list[PausedProvider] | Refused:
    """Open the gate, and providers that closed by themselves; returns those that stay paused, because somebody named them.

    Refused while this data looks restored or copied: only who knows that no other copy sends may say so.
    """
    standing = guard.check_and_advance_mark(now=now)
    if standing.in_doubt:
        return Refused(
            f"{standing.value}. If no other copy sends, and what was sent since is known: "
            "'newsletter sending resume --confirm'"
        )
    sending_gate.resume(now=now, actor=actor)
    return provider_gate.resume_what_closed_by_itself(now=now, actor=actor)
