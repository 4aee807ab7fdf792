"""What somebody asked for on a page or on the command line, as one value."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime

from newsletter.models import Cadence

#: (cadence, zone, hour, weekday, after) → the first slot after `after`, aware UTC:
#: `newsletter.editions.digest_schedule.next_due`.
NextDue = Callable[[Cadence, str, int, int, datetime], datetime]
#: A keyword → the id of the topic that all who typed it share: `matching.topics.topics.keyword_topic` with its means filled in.
OwnTopic = Callable[[str], int]
#: (subscriber id, topic id): takes back planned mail whose every reason is that topic.
CancelPlanned = Callable[[int, int], object]


@dataclass(frozen=True)
class Choices:
    """Topics and own words with one cadence, and how the mail should come. What is followed stays out of the repr."""

    topic_ids: tuple[int, ...] = field(default=(), repr=False)
    words: tuple[str, ...] = field(default=(), repr=False)
    cadence: Cadence = Cadence.DAILY
    zone: str = "UTC"
    #: Local hour of a daily or weekly mail, 0 to 23.
    hour: int = 7
    #: Day of a weekly mail, Monday is 0.
    weekday: int = 0
    #: True: the subject says nothing of the content.
    discreet: bool = True
    locale: str = "en"
    #: `both` (HTML and text) or `text`.
    format: str = "both"

    def __post_init__(self) -> None:
        """Refuse what no form of ours produces.

        Raises:
            ValueError: an hour, weekday or format out of range.
        """
        if not 0 <= self.hour <= 23:
            raise ValueError("hour must be from 0 to 23")
        if not 0 <= self.weekday <= 6:
            raise ValueError("weekday must be from 0 (Monday) to 6")
        if self.format not in ("both", "text"):
            raise ValueError("format must be both or text")


def to_json(choices: Choices) -> str:
    """JSON of the choices, to be sealed in a notice."""
    return json.dumps(asdict(choices), separators=(",", ":"))


def from_json(text: str) -> Choices:
    """The choices that `to_json` wrote."""
    plain = json.loads(text)
    return Choices(
        **plain
        | {
            "topic_ids": tuple(plain["topic_ids"]),
            "words": tuple(plain["words"]),
            "cadence": Cadence(plain["cadence"]),
        }
    )
