"""Count the mails that somebody should look at: in doubt, parked but not on hold, refused. Cheap enough for every page."""

from newsletter.lib import db
from newsletter.models import BatchState

#: In the order in which they are told.
STATES = (BatchState.UNKNOWN, BatchState.PARKED, BatchState.FAILED)
_LISTED = "', '".join(STATES)

#: Batches, as `batch`, that wait for a decision: in doubt, or parked for another reason than a hold.
UNDECIDED_BATCH = "batch.state IN ('unknown','parked') AND batch.held_at IS NULL"

# Two partial indexes hold no more than these (`delivery_exception`, `batch_doubtful`): the ledger itself is not read.
_COUNT = f"""
SELECT state, sum(mails) FROM (
  SELECT state, count(*) AS mails FROM delivery WHERE state IN ('{_LISTED}') GROUP BY state
  UNION ALL
  SELECT b.state, count(*) FROM batch b JOIN delivery d ON d.batch_id=b.id AND d.state IS NULL
  WHERE b.state IN ('{_LISTED}') AND b.held_at IS NULL GROUP BY b.state
) counted GROUP BY state"""


def needs_decision() -> dict[str, int]:
    """How many deliveries are unknown, parked and failed, by state; states without any are left out."""
    found = {state: int(mails) for state, mails in db.rows(_COUNT)}
    return {state.value: found[state.value] for state in STATES if state.value in found}
