"""All that the tables owe now, in this process, to the end: what `newsletter once` does, and a worker that hears no ring."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog
from django.db import close_old_connections

from newsletter import wiring
from newsletter.delivery.send import Sent
from newsletter.editions import compose, gatherings, notices
from newsletter.feeds import poll
from newsletter.lib import db
from newsletter.lib.progress import no_progress
from newsletter.matching import match, rematch
from newsletter.worker import maintenance, retention, send_loop, sign_ups

log = structlog.get_logger()


@dataclass(frozen=True)
class Done:
    """What one pass over the tables did; `failed` names the stages that did not come to their end."""

    feeds: int = 0
    new: int = 0
    feeds_failed: int = 0
    matches: int = 0
    gatherings: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    unknown: int = 0
    failed: tuple[str, ...] = ()


Progress = Callable[[str, int], None]


@dataclass
class _Pass:
    """One pass over the tables, each stage by itself: what one item breaks must not hold up mail that is planned."""

    progress: Progress
    failed: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is raised inside ends there. Its words may hold rows or addresses: only its kind is told."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the stages after it owe nothing to it
            log.error("stage_failed", stage=name, error=type(error).__name__)
            if name not in self.failed:
                self.failed.append(name)
            close_old_connections()  # one that broke would break them all


def once(*, wait: timedelta, progress: Progress = no_progress) -> Done:
    """All that is due now: refresh, match, gather, compose, deliver, and delete what is kept no longer.

    `wait` is how long a fresh match waits for others; `progress` hears of each step (its name, and an id or a number).
    """
    polled = []
    this = _Pass(progress)
    with this.stage("read feeds"):
        for one in poll.refresh_due(clock=db.now, fetcher=wiring.fetcher()):
            progress("feed", one.feed_id)
            polled.append(one)
    done = deliver(wait=wait, progress=progress)
    with this.stage("prune"):  # whoever runs this by cron has no beat that would
        retention.prune(now=db.now())
    return replace(
        done,
        feeds=len(polled),
        new=sum(one.new for one in polled),
        feeds_failed=sum(bool(one.error) for one in polled),
        failed=(*this.failed, *done.failed),
    )


def deliver(*, wait: timedelta, progress: Progress = no_progress, paced: float = math.inf) -> Done:
    """`once` without reading feeds: whatever the tables owe, up to the last batch that is due. Raises nothing: see `Done.failed`.

    Mail that waits for nothing but its pace is gone on with for `paced` seconds, holding nothing meanwhile.
    """
    until = time.monotonic() + paced
    this = _Pass(progress)
    with this.stage("recover"):
        maintenance.recover()
    with this.stage("hear"):
        maintenance.hear()
        sign_ups.set_pace()
    matches = _match(this)
    composed = _compose(this, wait)
    sent = _send(this, until)
    return Done(
        matches=matches,
        gatherings=composed,
        accepted=sum(one.accepted for one in sent),
        deferred=sum(one.deferred for one in sent),
        refused=sum(one.refused for one in sent),
        unknown=sum(one.unknown for one in sent),
        failed=tuple(this.failed),
    )


def _match(this: _Pass) -> int:
    """How many matches were found."""
    matches = 0
    with this.stage("rematch"):
        while rematch.rematch(clock=db.now):
            pass
    with this.stage("match"):
        while (met := match.match_fresh(now=db.now(), vault=wiring.vault())).items:
            matches += met.matches
            this.progress("items matched", met.items)
    return matches


def _compose(this: _Pass, wait: timedelta) -> int:
    """How many gatherings were open. One that cannot be worded holds up no other."""
    gathering_ids: tuple[int, ...] = ()
    with this.stage("sign-ups"):
        sign_ups.decide()
    with this.stage("notices"):
        while notices.plan_notices(wiring.composer(), now=db.now()):
            pass
    with this.stage("close"):
        gatherings.close_alert(now=db.now(), wait=wait)
    with this.stage("slots"):
        gatherings.take_slots(now=db.now())
    with this.stage("compose"):
        gathering_ids = gatherings.open_gatherings()
    for gathering_id in gathering_ids:
        with this.stage("compose"):
            this.progress("gathering", gathering_id)
            compose.compose(gathering_id, wiring.composer(), clock=db.now)
    return len(gathering_ids)


def _send(this: _Pass, until: float) -> list[Sent]:
    sent: list[Sent] = []
    with this.stage("send"):
        while (one := send_loop.send_next()) is not None or send_loop.paused(until):
            if one is not None:
                this.progress("batch", one.batch_id)
                sent.append(one)
    return sent
