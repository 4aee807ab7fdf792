"""The pipeline on one page, from feeds to mail: what each stage does, what follows it, and how often it runs by itself.

Celery tasks (`tasks.py`), `newsletter once` (`run_once.py`) and the fallback of workers without Redis (`fallback_poll.py`) all
run the stages of the table at the end of this file. The work of a stage is what the tables owe: it may run never, once or
several times at once, and changes nothing the second time. So any message may be lost: the next tick finds the same work.
"""

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from newsletter import edition_wiring, wiring
from newsletter.editions import compose, gatherings, notices
from newsletter.editions.messages import planning
from newsletter.feeds import poll, requested_backfill
from newsletter.feeds.backfill import Backfilled
from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue, no_progress
from newsletter.matching import match, rematch
from newsletter.worker import maintenance, retention, send_loop, sign_ups

#: Seconds in which one poll starts to read feeds.
READING = 60.0
#: Seconds in which one task starts to send, to a slow server only some windows. The last answer of a window may take until
#: shortly before the task's limit, and mail in a window that is cut off is in doubt.
SENDING = 30.0
#: Batches that one task sends before it gives way to others.
TURN = 20
#: Seconds for which one task decides requests from public forms, or plans notices; the next tick finds the rest.
DECIDING = 10.0
#: Seconds for which one task deletes old rows; the rest goes an hour later.
PRUNING = 180.0
#: Seconds for which `once` starts to read feeds.
_LONGEST_POLL = 3600.0

ReportProgress = Callable[[str, int], None]


@dataclass(frozen=True)
class StageRun:
    """One run of a stage: how long it may take, what to call when work for the next stage is there, and what it counts."""

    #: Called with ids when there is work for the stage that follows.
    follow: Callable[..., None]
    #: Seconds in which it may start new work.
    seconds: float = math.inf
    #: False once the run is to end whatever is left.
    keep_running: ShouldContinue = send_loop.should_continue
    #: Called with the name of a step and an id or a number.
    progress: ReportProgress = no_progress
    #: Until when, in monotonic seconds, it waits for mail that only waits for its rate limit.
    wait_until: float = 0.0
    #: How long a fresh match waits for others; None: as the settings say.
    gather: timedelta | None = None
    #: What was done: the fields of `run_once.PassResult`.
    counts: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    def should_continue(self) -> bool:
        """True while new work may start."""
        return self.keep_running() and time.monotonic() < self.started + self.seconds

    def wait(self) -> bool:
        """Wait a moment if mail only waits for its rate limit; False if none does, or the time for that is up."""
        return send_loop.wait_for_rate_limit(self.wait_until)


#: Does the work of a stage. Returns True if it stopped before the end, so that it has to run again.
Work = Callable[..., bool | None]


@dataclass(frozen=True)
class Stage:
    """A row of the table."""

    name: str
    work: Work
    #: Seconds between two runs by itself; None: it runs only after another stage, with an id.
    every: float | None
    why: str
    #: The stage that `StageRun.follow` runs.
    then: str | None = None
    #: What `once` and logs call it, if not by its name.
    label: str = ""
    #: Seconds in which a task starts new work.
    seconds: float = math.inf
    #: Seconds after which a task is killed; a minute before, it is interrupted.
    limit: int = 300
    #: Only one task at a time runs it.
    one_at_a_time: bool = False
    #: Part of delivering what the tables owe, which a worker without Redis does after each feed.
    delivers: bool = True

    @property
    def task(self) -> str:
        """The name of its Celery task."""
        return f"newsletter.{self.name}"


def refresh_feeds(run: StageRun) -> None:
    """Read the feeds that are due."""
    seconds = min(run.seconds, _LONGEST_POLL)
    for feed in poll.poll_due(
        clock=db.now, fetcher=wiring.fetcher(), seconds=seconds, should_continue=run.keep_running
    ):
        run.progress("feed", feed.feed_id)
        run.counts.update(feeds=1, new=feed.new, feeds_failed=1 if feed.error else 0)
        if feed.unmatched:
            run.follow()


def read_archives(run: StageRun) -> bool:
    """Read on in an archive that somebody asked for; True if there may be more."""
    read = requested_backfill.read_next(clock=db.now, fetcher=wiring.fetcher())
    if isinstance(read, Backfilled) and read.items:
        run.follow()
    return read is not None


def recover_work(run: StageRun) -> None:
    """Take back what dead workers held, and record that the tables are watched."""
    if maintenance.recover():
        run.follow()


def read_reports(_run: StageRun) -> None:
    """Read bounces and complaints, and close the gate if there are too many."""
    maintenance.read_reports()
    sign_ups.set_pace()


def rematch_items(_run: StageRun) -> bool:
    """Match stored items against topics that changed; True if there are more."""
    return bool(rematch.rematch(clock=db.now))


def match_items(run: StageRun) -> None:
    """Match new items against the topics."""
    while (matched := match.match_fresh(now=db.now(), index=wiring.topic_index())).items:
        run.progress("items matched", matched.items)
        run.counts.update(matches=matched.matches)
        if matched.matches:
            run.follow()


def decide_sign_ups(run: StageRun) -> bool:
    """Decide on requests from public forms; True if time ran out."""
    if sign_ups.decide(run.should_continue):
        run.follow()
    return not run.should_continue()


def plan_notices(run: StageRun) -> None:
    """Plan the mail of waiting notices."""
    while run.should_continue() and notices.plan_notices(edition_wiring.composer(), now=db.now()):
        run.follow()


def plan_messages(run: StageRun) -> bool:
    """Plan the mail of messages whose time has come; True if there is more."""
    return planning.plan_messages(
        edition_wiring.composer(),
        clock=db.now,
        should_continue=run.should_continue,
        planned=lambda _batches: run.follow(),
    )


def close_alert_gathering(run: StageRun) -> None:
    """Close the alert gathering if its matches waited long enough."""
    wait = edition_wiring.gather() if run.gather is None else run.gather
    gathering_id = gatherings.close_alert_gathering(now=db.now(), wait=wait)
    if gathering_id is not None:
        run.follow(gathering_id)


def open_digests(run: StageRun) -> None:
    """Open a gathering for each digest that is due."""
    for gathering_id in gatherings.open_due_digests(now=db.now()):
        run.follow(gathering_id)


def find_open_gatherings(run: StageRun) -> None:
    """Find the gatherings that are not composed to the end."""
    gathering_ids = gatherings.unfinished_gatherings()
    run.counts.update(gatherings=len(gathering_ids))
    for gathering_id in gathering_ids:
        run.follow(gathering_id)


def compose_gathering(run: StageRun, gathering_id: int) -> None:
    """Compose one gathering and plan its mail."""
    run.progress("gathering", gathering_id)
    compose.compose(gathering_id, edition_wiring.composer(), clock=db.now, planned=lambda _batches: run.follow())


def send_batches(run: StageRun) -> bool:
    """Send up to `TURN` batches that are due; True if more may be."""
    for _ in range(TURN):
        sent = send_loop.send_next(run.should_continue)
        if sent is not None:
            run.progress("batch", sent.batch_id)
            run.counts.update(
                accepted=sent.accepted, deferred=sent.deferred, refused=sent.refused, unknown=sent.unknown
            )
        if not run.should_continue():
            return True
        if sent is None:
            return run.wait()
    return True


def prune_rows(run: StageRun) -> None:
    """Delete what is kept no longer."""
    retention.prune(now=db.now(), should_continue=run.should_continue)


#: In the order in which `newsletter once` runs them.
STAGES = (
    Stage(
        "refresh_due", refresh_feeds, 15, "feeds whose time has come are read", then="match",
        label="read feeds", seconds=READING, one_at_a_time=True, delivers=False,
    ),
    Stage(
        "archives", read_archives, 15, "archives of feeds that somebody asked for are read on, some pages at a time",
        then="match", label="read archives", delivers=False,
    ),
    Stage("recover", recover_work, 15, "work of workers that died; says that the tables were looked at", then="send"),
    Stage("hear", read_reports, 60, "returned mails are read; complaints, bounces and silence are watched"),
    Stage("rematch", rematch_items, 15, "stored items meet topics that changed"),
    Stage("match", match_items, 15, "items that met no topic yet, should the message have been lost", then="close"),
    Stage(
        "sign_ups", decide_sign_ups, 5, "requests from public forms, also those that had to wait", then="notices",
        label="sign-ups", seconds=DECIDING,
    ),
    Stage(
        "notices", plan_notices, 10, "confirmations and links that wait, should the message have been lost", then="send",
        seconds=DECIDING,
    ),
    Stage(
        "messages", plan_messages, 10, "messages whose time has come are planned, chunk by chunk", then="send",
        seconds=DECIDING,
    ),
    Stage("close", close_alert_gathering, 5, "fresh matches that waited long enough become an alert", then="compose"),
    Stage("slots", open_digests, 15, "digests whose local hour has come", then="compose"),
    Stage(
        "compose_open", find_open_gatherings, 30, "gatherings that were not composed to the end", then="compose",
        label="compose",
    ),
    Stage("compose", compose_gathering, None, "one gathering", then="send"),
    Stage(
        "send", send_batches, 1 if wiring.config().limits.paced else 5,
        "batches whose time has come, also those that had to wait; every second where mail keeps a pace",
        seconds=SENDING, limit=900,
    ),
    Stage("prune", prune_rows, 3600, "what is kept no longer is deleted", seconds=PRUNING, delivers=False),
)  # fmt: skip
BY_NAME = {stage.name: stage for stage in STAGES}
