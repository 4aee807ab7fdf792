"""Keep a host with a restored database or a copied data directory from sending, and let a new host join those at work.

`restore_guard.decide_standing` is the decision table; here is what it reads, and what follows from it.
"""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from newsletter.audit import actor
from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.delivery.gates import restore_guard, sending_gate
from newsletter.delivery.gates.restore_guard import Observed, Standing
from newsletter.lib import db
from newsletter.models import ClosedFor, Gate, Pulse

log = structlog.get_logger()

#: A database at which a worker looked within this time is at work.
_AT_WORK: Final = timedelta(minutes=2)
#: A doubt must last for so many checks: another process may be writing its mark, or the very first one, at this moment.
_CHECKS, _CHECK_EVERY = 4, 0.05


class HostGuard:
    """Whether this host may send, with `directory` beside the keys. A process keeps one, for it remembers the first mark seen."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        #: The mark of each installation when this process saw it first, as long as there is no file and no doubt.
        self._first_marks: dict[UUID, int] = {}

    def check(self, *, now: datetime) -> Standing:
        """Whether this host may send. Writes neither into the directory nor into the database."""
        for _ in range(_CHECKS):
            standing = restore_guard.decide_standing(self._observe(now))
            if standing is Standing.OURS:
                break
            time.sleep(_CHECK_EVERY)
        return standing

    def check_and_join(self, *, now: datetime) -> Standing:
        """As `check`; a host that saw others at work with the data writes its file, and is one of them from then on."""
        standing = self.check(now=now)
        if standing is Standing.OURS and self._first_marks:
            self.advance_mark()  # other processes of this host read the file
        elif standing is not Standing.NEW_HOST:
            self._first_marks.clear()
        return standing

    def close_if_restored(self, *, now: datetime) -> Standing:
        """As `check_and_join`, and close the gate if this data looks restored or copied.

        A host that has to wait (`NEW_HOST`) closes nothing: others may be at work. Called whenever a worker opens a new
        database connection, before it sends anything: the database may have been set back meanwhile.
        """
        standing = self.check_and_join(now=now)
        closed = {"paused_by": standing.value, "closed_for": ClosedFor.RESTORED}
        if standing.in_doubt and Gate.objects.exclude(**closed).update(sending_open=False, **closed):
            log.error("sending_closed", reason=standing.value)
            after = {"open": False, "because": standing.value}
            record(actor.from_rule("restored data"), "sending.pause", sending_gate.ALL_MAIL, now=now, after=after)
        return standing

    def check_and_advance_mark(self, *, now: datetime) -> Standing:
        """As `close_if_restored`; where this host may send, advance the mark in the database and in the directory.

        Called at every start and before every pulse of the fallback polling.
        """
        standing = self.close_if_restored(now=now)
        if standing is Standing.OURS:
            self.advance_mark()
        return standing

    def confirm_installation(self, *, now: datetime, actor: Actor) -> None:
        """Open the gate, since an operator says that this installation is the one that sends: ahead of any mark kept anywhere."""
        kept = restore_guard.read(self.directory)
        gate = Gate.objects.get()
        Gate.objects.update(mark=max(gate.mark, kept.mark if kept else 0) + 1)
        self.advance_mark()
        sending_gate.resume(now=now, actor=actor, action="sending.confirm")
        log.warning("installation_confirmed")

    def advance_mark(self) -> None:
        """Raise the mark in the database, then in the directory, so that the file is never ahead of what was committed.

        Only the file itself is there before any mark.
        """
        gate = Gate.objects.get()
        kept = restore_guard.read(self.directory)
        try:
            if kept is None or kept.epoch != gate.installation_epoch:
                restore_guard.write(self.directory, gate.installation_epoch, gate.mark)
            mark = db.rows("UPDATE gate SET mark=mark+1 RETURNING mark")[0][0]
            restore_guard.write(self.directory, gate.installation_epoch, mark)
        except OSError as error:
            log.warning("mark_not_kept", error=type(error).__name__)

    def _observe(self, now: datetime) -> Observed:
        # the file before the row: a mark that others commit in between is then only ahead of it
        kept = restore_guard.read(self.directory)
        gate = Gate.objects.get()
        if kept is not None:
            self._first_marks.clear()
        return Observed(
            kept,
            copied=kept is not None and restore_guard.is_copy(self.directory, kept),
            epoch=gate.installation_epoch,
            mark=gate.mark,
            moved=kept is None and self._mark_moved(gate),
            living=Pulse.objects.filter(name="tick", at__gt=now - _AT_WORK).exists(),
            doubted=gate.closed_for == ClosedFor.RESTORED,
        )

    def _mark_moved(self, gate: Gate) -> bool:
        """Whether others advanced the mark since this process saw it first: without a file it is not we who do."""
        return gate.mark > 0 and gate.mark > self._first_marks.setdefault(gate.installation_epoch, gate.mark)
