"""How long the slowest alert of a day took, from the moment an article was seen to the last mail that was accepted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.lib import db
from newsletter.models import Lane

_ACCEPTED = (
    "SELECT b.occasion_id, max(a.ended_at) FROM attempt a JOIN batch b ON b.id=a.batch_id "
    f"WHERE a.outcome='accepted' AND a.ended_at>=%(since)s AND b.lane={Lane.ALERT.value} AND b.occasion_id>0 GROUP BY 1"
)
_SEEN = (
    "SELECT g.occasion_id, min(i.first_seen_at) FROM gathering g "
    'JOIN "match" m ON m.gathering_id=g.id AND m.withdrawn_at IS NULL JOIN item i ON i.id=m.item_id '
    "WHERE {among} GROUP BY 1"
)


@dataclass(frozen=True)
class SlowAlert:
    """An alert, and how long it took."""

    occasion_id: int
    took: timedelta


def slowest_alert(*, since: datetime) -> SlowAlert | None:
    """The slowest of the alerts that were accepted since then. Returns None if there was none."""
    accepted = dict(db.rows(_ACCEPTED, {"since": since}))
    if not accepted:
        return None
    seen = db.rows(_SEEN.format(among=db.in_list("g.occasion_id", "ids")), {"ids": list(accepted)})
    alerts = [SlowAlert(number, _moment(accepted[number]) - _moment(first)) for number, first in seen]
    return max(alerts, key=lambda alert: alert.took, default=None)


def _moment(value: datetime | str) -> datetime:
    """SQLite keeps a moment as text, in UTC."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
