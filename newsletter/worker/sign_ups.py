"""The workers' part of signing up: decide on the requests that public forms stored."""

from collections.abc import Callable

import structlog

from newsletter import wiring
from newsletter.delivery.feedback import reputation
from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.models import SignUpRequest
from newsletter.subscribers.form_requests import queue
from newsletter.subscribers.form_requests.decide import decide_next
from newsletter.subscribers.limits import network_limit, notice_budget

log = structlog.get_logger()


def decide(should_continue: ShouldContinue = never_stop) -> int:
    """Decide the requests that are ready, those of people who hold one of their mails first; returns how many notices to plan."""
    now = db.now()
    network_limit.prune(now)
    queue.wake(now)
    if dropped := queue.trim():
        log.warning("sign_up_requests_dropped", rows=dropped)
    return sum(_decide(kind, should_continue) for kind in SignUpRequest.Kind)


def _decide(kind: SignUpRequest.Kind, should_continue: Callable[[], bool]) -> int:
    notices = 0
    while should_continue():
        done = decide_next(kind, wiring.subscribing(db.now()))
        if done is None:
            break
        notices += done.notice_id is not None
    return notices


def set_pace() -> None:
    """Slow sign-ups down while many of the newest are for dead addresses; nothing else is slowed by that."""
    now = db.now()
    newest = reputation.sign_ups(now=now)
    if notice_budget.slow_sign_ups(newest.unwelcome, now=now):
        state = "slow" if newest.unwelcome else "usual"
        log.warning("sign_ups_pace", accepted=newest.sent, refused=newest.failed, state=state)
