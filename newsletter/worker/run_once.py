"""Run the stages one after the other in this process: `newsletter once`, and workers that get no messages from Redis."""

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.db import close_old_connections

from newsletter.lib.progress import no_progress
from newsletter.worker import stages
from newsletter.worker.stages import ReportProgress, Stage, StageRun

log = structlog.get_logger()


@dataclass(frozen=True)
class PassResult:
    """What one pass over the tables did; `failed` names the stages that raised an error."""

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


@dataclass
class Pass:
    """One pass over the stages. A stage that fails does not stop those after it: mail that is planned must not wait for it."""

    gather: timedelta
    progress: ReportProgress = no_progress
    wait_until: float = math.inf
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    #: Ids that a stage left for one after it, by the name of that stage.
    _ids: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)

    def run(self, stage: Stage, *, seconds: float = math.inf, follow: Callable[..., None] | None = None) -> None:
        """Run a stage to its end, or for about `seconds`; what follows it runs later in the pass, or is `follow`."""
        run = StageRun(
            follow=follow or self._keep_for(stage.then),
            seconds=seconds,
            progress=self.progress,
            wait_until=self.wait_until,
            gather=self.gather,
            counts=self.counts,
        )
        if stage.every is not None:
            self._guarded(stage, run)
            return
        for ids in self._ids.pop(stage.name, ()):
            self._guarded(stage, run, *ids)

    def done(self) -> PassResult:
        """What was done so far."""
        return PassResult(**self.counts, failed=tuple(self.failed))

    def _keep_for(self, name: str | None) -> Callable[..., None]:
        def keep(*ids: int) -> None:
            waiting = self._ids.setdefault(name or "", [])
            if ids not in waiting:
                waiting.append(ids)

        return keep

    def _guarded(self, stage: Stage, run: StageRun, *ids: int) -> None:
        try:
            while stage.work(run, *ids) and run.should_continue():
                pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the other stages do not depend on it
            # the error's own words may hold rows or addresses
            name = stage.label or stage.name
            log.error("stage_failed", stage=name, error=type(error).__name__)
            if name not in self.failed:
                self.failed.append(name)
            close_old_connections()  # a broken one would fail all stages after it


def once(*, wait: timedelta, progress: ReportProgress = no_progress) -> PassResult:
    """Run every stage: do all that is due now. Raises nothing: see `PassResult.failed`.

    `wait` is how long a fresh match waits for others.
    """
    whole = Pass(wait, progress)
    for stage in stages.STAGES:
        whole.run(stage)
    return whole.done()


def deliver(*, wait: timedelta, paced: float = math.inf) -> PassResult:
    """As `once` without reading feeds and deleting old rows.

    Mail that only waits for its rate limit is waited for at most `paced` seconds, while nothing is held.
    """
    delivery = Pass(wait, wait_until=time.monotonic() + paced)
    for stage in stages.STAGES:
        if stage.delivers:
            delivery.run(stage)
    return delivery.done()
