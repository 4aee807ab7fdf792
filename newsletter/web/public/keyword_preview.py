"""What readers' own keywords would have matched, for the pages that let them try: at most two previews at a time in a process."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from django.http import HttpResponse

from newsletter import wiring
from newsletter.matching.live_index import item_index
from newsletter.matching.live_index.item_search import SearchResult, search
from newsletter.matching.live_index.stored_items import current_versions
from newsletter.matching.query import language
from newsletter.matching.query.compiled import compile_query
from newsletter.models import Item

#: How far back a preview looks, in days, and how many titles it shows of each keyword.
DAYS = 30
SHOWN = 5
#: Previews at a time: more would only take the processor from each other, and from all other pages.
AT_ONCE = 2
#: Seconds after which somebody who found it busy may try again.
RETRY_SECONDS = 60

_free = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class MatchedArticle:
    """An article that a keyword would have matched."""

    title: str
    at: datetime


@dataclass(frozen=True)
class Preview:
    """What a keyword would have matched: `count` articles of the newest `searched`; the newest few with their titles.

    `complete`: these are all articles of the last `DAYS` days.
    """

    keyword: str = field(repr=False)
    count: int
    titles: tuple[MatchedArticle, ...] = field(repr=False)
    searched: int
    complete: bool

    @property
    def partial(self) -> bool:
        """Whether it looked at fewer articles than it could: the index is still being read, or the search took long."""
        return not self.complete and 0 < self.searched < item_index.MOST_ITEMS


@dataclass(frozen=True)
class Panel:
    """The part of a page that shows previews. `busy`: others are looking; `empty`: there is no article to look at yet."""

    previews: tuple[Preview, ...] = ()
    busy: bool = False
    empty: bool = False
    days: int = DAYS


#: Of a page on which nobody asked for a preview.
NO_PREVIEW = Panel()


def preview(keywords: Sequence[str], *, now: datetime) -> Panel:
    """What each keyword would have matched in the last 30 days. Nothing is stored, and nobody waits for others.

    Raises:
        QueryError: one of them cannot be followed.
    """
    if not keywords:
        return NO_PREVIEW
    if not _free.acquire(blocking=False):
        return Panel(busy=True)
    try:
        plans = [compile_query(language.parse(keyword)) for keyword in keywords]
        results = search(wiring.item_index(), plans, now=now, days=DAYS)
        titles = _titles([item_id for result in results for item_id in result.item_ids[:SHOWN]])
    finally:
        _free.release()
    empty = not any(result.searched for result in results) and not Item.objects.exists()
    return Panel(
        tuple(_shown(keyword, result, titles) for keyword, result in zip(keywords, results, strict=True)), empty=empty
    )


def preview_page(page: HttpResponse, panel: Panel) -> HttpResponse:
    """The page that shows a preview: with 503 and when to come back, if it was busy."""
    if panel.busy:
        page.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        page.headers["Retry-After"] = str(RETRY_SECONDS)
    return page


def _shown(keyword: str, result: SearchResult, titles: dict[int, MatchedArticle]) -> Preview:
    shown = tuple(titles[item_id] for item_id in result.item_ids[:SHOWN] if item_id in titles)
    return Preview(keyword, len(result.item_ids), shown, result.searched, result.complete)


def _titles(item_ids: Sequence[int]) -> dict[int, MatchedArticle]:
    rows = current_versions().filter(item_id__in=item_ids).values_list("item_id", "title", "item__first_seen_at")
    return {item_id: MatchedArticle(title, at) for item_id, title, at in rows}
