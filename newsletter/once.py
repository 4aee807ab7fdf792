"""All that the tables owe now, in this process, to the end: what `newsletter once` does, and a worker that hears no ring."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from newsletter import db, sending, upkeep, wiring
from newsletter.editions import closing, compose, notices
from newsletter.feeds import refresh as feeds
from newsletter.matching import match as matching
from newsletter.matching import rematch as rematching


@dataclass(frozen=True)
class Done:
    """What one pass over the tables did."""

    feeds: int = 0
    new: int = 0
    feeds_failed: int = 0
    matches: int = 0
    gatherings: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    unknown: int = 0


Progress = Callable[[str, int], None]


def _no_progress(_stage: str, _number: int) -> None:
    pass


def once(*, wait: timedelta, progress: Progress = _no_progress) -> Done:
    """All that is due now: refresh, match, gather, compose, deliver.

    `wait` is how long a fresh match waits for others; `progress` hears of each step (its name, and an id or a number).
    """
    polled = []
    for one in feeds.refresh_due(clock=db.now, fetcher=wiring.fetcher()):
        progress("feed", one.feed_id)
        polled.append(one)
    done = deliver(wait=wait, progress=progress)
    return replace(
        done,
        feeds=len(polled),
        new=sum(one.new for one in polled),
        feeds_failed=sum(bool(one.error) for one in polled),
    )


def deliver(*, wait: timedelta, progress: Progress = _no_progress, paced: float = math.inf) -> Done:
    """`once` without reading feeds: whatever the tables owe, up to the last batch that is due.

    Mail that waits for nothing but its pace is gone on with for `paced` seconds, holding nothing meanwhile.
    """
    until = time.monotonic() + paced
    upkeep.recover()
    upkeep.hear()
    while rematching.rematch(clock=db.now):
        pass
    matches = 0
    while (met := matching.match_fresh(now=db.now(), vault=wiring.vault())).items:
        matches += met.matches
        progress("items matched", met.items)
    notices.plan_notices(wiring.composer(), now=db.now())
    closing.close_alert(now=db.now(), wait=wait)
    closing.take_slots(now=db.now())
    gatherings = closing.open_gatherings()
    for gathering_id in gatherings:
        progress("gathering", gathering_id)
        compose.compose(gathering_id, wiring.composer(), clock=db.now)
    sent = []
    while (one := sending.send_next()) is not None or sending.paused(until):
        if one is not None:
            progress("batch", one.batch_id)
            sent.append(one)
    return Done(
        matches=matches,
        gatherings=len(gatherings),
        accepted=sum(one.accepted for one in sent),
        deferred=sum(one.deferred for one in sent),
        refused=sum(one.refused for one in sent),
        unknown=sum(one.unknown for one in sent),
    )
