"""What a problem is: one sentence, how grave it is, since when, and what to do, in a terminal and on the desk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any


class ProblemKind(Enum):
    """What is wrong, or waits for somebody."""

    NOT_RUNNING = "not running"
    SENDING_PAUSED = "sending paused"
    PROVIDER_PAUSED = "provider paused"
    PROVIDER_OUT = "provider out"
    PROVIDER_LEFT_ALONE = "provider left alone"
    HELD_UP = "held up"
    UNKNOWN_MAIL = "unknown mail"
    PARKED_MAIL = "parked mail"
    FAILED_MAIL = "failed mail"
    MESSAGES_PARKED = "messages parked"
    MESSAGES_ASKED = "messages to release"
    FEEDS = "feeds"
    INCIDENTS = "incidents"
    TOPICS = "topics"
    REPUTATION = "reputation"
    SIGN_UPS_SLOWED = "sign-ups slowed"
    LEFT_OVER = "left over"
    DIGESTS_SKIPPED = "digests skipped"
    NO_FEEDS = "no feeds"
    NO_TOPICS = "no topics"
    NO_SUBSCRIBERS = "no subscribers"


class Severity(IntEnum):
    """How grave a problem is, the gravest first."""

    #: Nothing is read, or mail does not leave.
    STOPPED = 1
    #: Somebody has to decide, or mend something.
    DECIDE = 2
    #: It goes on by itself, and is worth a look.
    LOOK = 3
    #: A new installation has not got it yet.
    MISSING = 4


@dataclass(frozen=True)
class DeskLink:
    """A page of the desk on which something can be done: name of the route, its arguments, the query, words of the link."""

    route: str
    label: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True)
class Problem:
    """Something that needs attention. All words are translated."""

    kind: ProblemKind
    severity: Severity
    #: A sentence without its end. `{name}` stands for one of `values`, whose moments are worded by whoever shows them.
    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    since: datetime | None = None
    #: What to do, or what happens next, for somebody at a terminal: with commands in single quotes. May be empty.
    advice: str = ""
    link: DeskLink | None = None
    #: The same thing by thing, where the problem is a sum; only some of them if there are many.
    parts: tuple["Problem", ...] = ()

    def worded(self, moment: Callable[[datetime], str]) -> str:
        """The sentence, with its moments as `moment` writes them."""
        return self.worded_as(lambda value: moment(value) if isinstance(value, datetime) else value)

    def worded_as(self, write: Callable[[object], object]) -> str:
        """The sentence, with each of its values as `write` gives it."""
        return self.text.format_map({name: write(value) for name, value in self.values.items()})
