"""Print what a change of a topic would do, and ask before one that would bring very many items."""

from collections.abc import Iterator

from newsletter.cli.output import ask, counted
from newsletter.matching.topics.limits import MANY_PER_DAY
from newsletter.matching.topics.preview import Rate, SampleItem, TopicPreview


def describe_preview(preview: TopicPreview) -> Iterator[str]:
    """The lines of a preview, for people."""
    yield f"over the {preview.items} stored items of {preview.days} days:"
    if preview.before is not None:
        yield f"  now   {_rate(preview.before)}"
        yield f"  then  {_rate(preview.after)}"
        yield f"  {preview.gained} gained, {preview.lost} lost"
    else:
        yield f"  {_rate(preview.after)}"
    yield from _samples("gained" if preview.before is not None else "meets", preview.samples_gained)
    yield from _samples("lost", preview.samples_lost)
    if preview.followers is not None:
        yield f"  followed by {preview.followers}"


def confirm_large_change(preview: TopicPreview, yes: bool) -> None:
    """Ask before a topic that would bring more than 30 items a day. Off a terminal the answer must come with the command."""
    if preview.after.per_day > MANY_PER_DAY and not yes:
        count = f"{preview.after.per_day:.0f} items a day ({preview.after.items} in {preview.days} days)"
        ask(
            f"It would bring {count}. Save it?",
            f"it would bring {count}: narrow the query, or add --yes if that is meant",
        )


def _rate(rate: Rate) -> str:
    items = counted(rate.items, "item")
    return f"{items}, {rate.per_week:.1f} a week, {rate.per_day:.1f} a day, {rate.busiest_day} on the busiest day"


def _samples(what: str, samples: tuple[SampleItem, ...]) -> Iterator[str]:
    for sample in samples:
        yield f"  {what}: {sample.at:%Y-%m-%d} {sample.title}  ({', '.join(sample.words)})"
