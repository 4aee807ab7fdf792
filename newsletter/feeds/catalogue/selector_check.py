"""Find feeds that are not cut any more because their CSS selector cannot be used."""

from newsletter.feeds.html import css_selector
from newsletter.models import Feed


def unusable_selectors() -> list[tuple[int, str]]:
    """(feed id, what is wrong and what to do) of each feed with a selector that cannot be used."""
    chosen = Feed.objects.exclude(cut__in=("auto", "never", "always")).order_by("id").values_list("id", "cut")
    return [(feed_id, reason) for feed_id, cut in chosen if (reason := css_selector.refusal(cut))]
