"""What a change of a topic would do, on the screen; and the question before one that would bring very much."""

from collections.abc import Iterator

from newsletter.cli.output import ask
from newsletter.cli.topics.listing import many
from newsletter.matching.topics.preview import MANY_PER_DAY, Rate, SampleItem, TopicPreview


def lines(found: TopicPreview) -> Iterator[str]:
    """The screen."""
    yield f"over the {found.items} stored items of {found.days} days:"
    if found.before is not None:
        yield f"  now   {_rate(found.before)}"
        yield f"  then  {_rate(found.after)}"
        yield f"  {found.gained} gained, {found.lost} lost"
    else:
        yield f"  {_rate(found.after)}"
    yield from _samples("gained" if found.before is not None else "meets", found.samples_gained)
    yield from _samples("lost", found.samples_lost)
    if found.followed:
        yield f"  followed by {many(found.followers)}"


def agree(found: TopicPreview, yes: bool) -> None:
    """Ask before a topic that would bring more than 30 items a day. Off a terminal the answer must come with the command."""
    if found.after.per_day > MANY_PER_DAY and not yes:
        count = f"{found.after.per_day:.0f} items a day ({found.after.items} in {found.days} days)"
        ask(
            f"It would bring {count}. Save it?",
            f"it would bring {count}: narrow the query, or add --yes if that is meant",
        )


def _rate(rate: Rate) -> str:
    return f"{rate.items} items, {rate.per_week:.1f} a week, {rate.per_day:.1f} a day, {rate.busiest_day} on the busiest day"


def _samples(what: str, samples: tuple[SampleItem, ...]) -> Iterator[str]:
    for one in samples:
        yield f"  {what}: {one.at:%Y-%m-%d} {one.title}  ({', '.join(one.words)})"
