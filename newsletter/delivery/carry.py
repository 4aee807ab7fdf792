"""A batch in, and others that take a part of its mails: the hand-overs that were waived go along, so the ledger shows them."""

from newsletter import db

_COPY = """
INSERT INTO attempt (batch_id, n, provider, began_at, ended_at, phase, outcome, provider_ref, disproved, waived_by)
SELECT %(fresh)s, n, provider, began_at, ended_at, phase, outcome, NULL, disproved, {word}
FROM attempt WHERE batch_id=%(old)s AND ({which})"""


def carry(old: int, fresh: int, *, word: str | None = None) -> None:
    """Copy the waived hand-overs of batch `old` to `fresh`; with `word` also the open one, waived by it in the copy alone.

    Whoever explains one of the mails finds by whose word it goes a second time, and its reader is told that it may.
    """
    which, waived_by = "waived_by IS NOT NULL", "waived_by"
    if word is not None:
        which, waived_by = f"{which} OR NOT disproved", "coalesce(waived_by, %(word)s)"
    db.execute(_COPY.format(word=waived_by, which=which), {"old": old, "fresh": fresh, "word": word})


def carries(batch: int) -> bool:
    """Whether the mails of this batch may have been handed over before, and go again by somebody's word."""
    found = db.rows(
        "SELECT 1 FROM attempt WHERE batch_id=%(batch)s AND waived_by IS NOT NULL LIMIT 1", {"batch": batch}, often=True
    )
    return bool(found)
