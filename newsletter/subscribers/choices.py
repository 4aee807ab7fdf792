"""What somebody asked for on a page or on the command line, as one value."""

import json
from dataclasses import asdict, dataclass, field

from newsletter.models import Cadence


@dataclass(frozen=True)
class MailTime:
    """When daily and weekly mail comes."""

    zone: str = "UTC"
    #: Local hour, 0 to 23.
    hour: int = 7
    #: Day of a weekly mail, Monday is 0.
    weekday: int = 0

    def __post_init__(self) -> None:
        """Refuse what none of our forms produces.

        Raises:
            ValueError: the hour or the weekday is out of range.
        """
        if not 0 <= self.hour <= 23:
            raise ValueError("hour must be from 0 to 23")
        if not 0 <= self.weekday <= 6:
            raise ValueError("weekday must be from 0 (Monday) to 6")


@dataclass(frozen=True)
class Choices:
    """Topics and keywords with one cadence, and how the mail should come. What is followed stays out of the repr."""

    topic_ids: tuple[int, ...] = field(default=(), repr=False)
    keywords: tuple[str, ...] = field(default=(), repr=False)
    cadence: Cadence = Cadence.DAILY
    mail_time: MailTime = MailTime()
    #: True: the subject says nothing of the content.
    discreet: bool = True
    locale: str = "en"
    #: `both` (HTML and text) or `text`.
    format: str = "both"

    def __post_init__(self) -> None:
        """Refuse what none of our forms produces.

        Raises:
            ValueError: there is no such format.
        """
        if self.format not in ("both", "text"):
            raise ValueError("format must be both or text")


def to_json(choices: Choices) -> str:
    """Write the choices as JSON, to be encrypted in a notice or a request."""
    values = asdict(choices)
    values |= values.pop("mail_time") | {"words": values.pop("keywords")}
    return json.dumps(values, separators=(",", ":"))


def from_json(text: str) -> Choices:
    """Read what `to_json` wrote."""
    values = json.loads(text)
    return Choices(
        topic_ids=tuple(values["topic_ids"]),
        keywords=tuple(values["words"]),
        cadence=Cadence(values["cadence"]),
        mail_time=MailTime(values["zone"], values["hour"], values["weekday"]),
        discreet=values["discreet"],
        locale=values["locale"],
        format=values["format"],
    )
