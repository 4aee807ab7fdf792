"""A preview with its charts, as the workshop shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from newsletter import wiring
from newsletter.matching.topics.limits import MANY_PER_DAY
from newsletter.matching.topics.revisions import TopicDraft
from newsletter.matching.workshop.followers import Followers
from newsletter.matching.workshop.preview_in_time import PreviewSide, WorkshopPreview, preview_in_time
from newsletter.web.desk.charts import BarChart
from newsletter.web.desk.topics import charts


@dataclass(frozen=True)
class ShownPreview:
    """A preview, and the chart of each side on the same scale."""

    result: WorkshopPreview
    before: BarChart | None
    after: BarChart

    @property
    def many(self) -> bool:
        """Whether saving this needs a second look: it matches very many items a day."""
        return self.result.after.per_day > MANY_PER_DAY

    @property
    def spellings(self) -> Mapping[str, int]:
        """Items by the key of a spelling."""
        return self.result.spellings


def shown_preview(
    after: TopicDraft,
    before: TopicDraft | None,
    *,
    spellings: Sequence[str],
    followers: Followers | None,
    now: datetime,
) -> ShownPreview:
    """Preview a draft within a second or so."""
    result = preview_in_time(
        after,
        before,
        index=wiring.item_index(),
        now=now,
        small_number=wiring.config().small_number,
        followers=followers,
        spellings=spellings,
    )
    sides = [side for side in (result.before, result.after) if side]
    top = max((count for side in sides for count in side.weeks if count), default=1)

    def chart(side: PreviewSide, label: str) -> BarChart:
        return charts.calendar_weeks(label % {"items": side.items}, result.mondays, side.weeks, top)

    return ShownPreview(
        result,
        chart(result.before, gettext("Items per week before: %(items)d in all")) if result.before else None,
        chart(result.after, gettext("Items per week after: %(items)d in all")),
    )
