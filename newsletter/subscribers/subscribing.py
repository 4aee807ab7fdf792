"""What subscribing takes from the rest of the service, as one value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.lib.crypto import Vault
from newsletter.models import Cadence

#: (cadence, zone, hour, weekday, after) → the first slot after `after`, aware UTC:
#: `newsletter.editions.digest_schedule.next_due`.
NextDue = Callable[[Cadence, str, int, int, datetime], datetime]
#: A keyword → the id of the topic that everybody who typed it shares, made if it is the first; 0 if it cannot be followed.
KeywordTopic = Callable[[str], int]


@dataclass(frozen=True)
class Subscribing:
    """The moment, the keys, and what the matching and editions rooms answer. `wiring.subscribing` makes one."""

    now: datetime
    vault: Vault = field(repr=False)
    keyword_topic: KeywordTopic = field(repr=False)
    next_due: NextDue = field(repr=False)
