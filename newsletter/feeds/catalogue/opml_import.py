"""Moves feeds in and out: an OPML file's feeds are added, each for itself, and all feeds become an OPML file."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from newsletter.feeds.catalogue import manage, opml
from newsletter.feeds.catalogue.opml import Outline, Problem
from newsletter.feeds.catalogue.probe import Found, normal_url
from newsletter.feeds.html.sanitize_text import single_line
from newsletter.feeds.storage import entry_filter
from newsletter.lib.progress import Progress, no_progress
from newsletter.lib.refused import Refused
from newsletter.models import Feed

#: Bytes of a file that is read.
CAP = 20_000_000
#: Hosts that are asked at the same time when feeds are checked.
AT_ONCE = 8

Find = Callable[[str], Found | Refused]


@dataclass(frozen=True)
class Imported:
    """What an import did: ids of the new feeds, how many were there already or stood twice in the file, what was left out."""

    added: tuple[int, ...]
    there: int
    repeated: int
    problems: tuple[Problem, ...]


def import_opml(
    data: bytes, *, now: datetime, announce: str = "none", find: Find | None = None, progress: Progress = no_progress
) -> Imported | Refused:
    """Add the feeds of an OPML file, each in a transaction of its own. One that cannot be added does not stop the others.

    They are due at once, and their first poll shows whether they are feeds; with `find` each is read before (see `probe.find`),
    several hosts at a time. `announce` says what of a first poll may be mailed. `progress` hears how many of how many are done.
    """
    if announce not in Feed.Announce.values:
        return Refused(f"announce is one of {', '.join(Feed.Announce.values)}")
    if len(data) > CAP:
        return Refused(f"it is larger than {CAP // 1_000_000} MB: take it apart")
    read = opml.read(data)
    if isinstance(read, opml.NotOpml):
        return Refused(read.reason)
    adding = _Adding(announce, now, list(read.problems))
    placed = adding.placed(read.feeds)
    for done, (outline, found) in enumerate(_found(placed, find), 1):
        adding.add(outline, found)
        progress(done, len(placed))
    problems = sorted(adding.problems, key=lambda one: one.line)
    return Imported(tuple(adding.ids), adding.there, adding.repeated, tuple(problems))


def export_opml(*, now: datetime) -> str:
    """All feeds as an OPML 2.0 file, which `import_opml` turns into the same feeds."""
    feeds = Feed.objects.order_by("title", "id")
    return opml.write(map(_outline, feeds), "Feeds", now)


def _outline(feed: Feed) -> Outline:
    return Outline(
        url=feed.url,
        title=feed.title,
        title_given=feed.title_given,
        cut="" if feed.cut == "auto" else feed.cut,
        only=feed.only,
        paused=feed.state == Feed.State.PAUSED,
    )


def _found(outlines: Iterable[Outline], find: Find | None) -> Iterator[tuple[Outline, Found | Refused | None]]:
    """Each outline with what `find` says of it, None without `find`; of one host one at a time."""
    if find is None:
        yield from ((one, None) for one in outlines)
        return
    by_host = defaultdict[str, list[Outline]](list)
    for one in outlines:
        by_host[urlsplit(one.url).netloc].append(one)
    stopped = threading.Event()
    pool = ThreadPoolExecutor(AT_ONCE)

    def ask(of_host: list[Outline]) -> list[tuple[Outline, Found | Refused]]:
        return [(one, find(one.url)) for one in of_host if not stopped.is_set()]

    try:
        for answers in pool.map(ask, by_host.values()):
            yield from answers
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


class _Adding:
    """Adds outlines one by one, and counts."""

    def __init__(self, announce: str, now: datetime, problems: list[Problem]) -> None:
        self._announce, self._now, self.problems = announce, now, problems
        self.ids = dict[int, None]()
        self.there = self.repeated = 0

    def placed(self, outlines: Iterable[Outline]) -> list[Outline]:
        """Those with an absolute URL, in the form in which it is stored."""
        out = []
        for one in outlines:
            url = normal_url(one.url) if "://" in one.url else ""
            if url:
                out.append(replace(one, url=url))
            else:
                plain = single_line(one.url, cap=80)
                reason = f"'{plain}' is no absolute http or https URL without user name and password"
                self.problems.append(Problem(one.line, reason))
        return out

    def add(self, outline: Outline, found: Found | Refused | None) -> None:
        """Add one; `found` is what is at its URL, None when nobody looked."""
        if isinstance(found, Refused):
            self.problems.append(Problem(outline.line, found.reason))
            return
        known = manage.find(found.url if found else outline.url)
        known = known or (manage.find(found.came_from) if found else None)
        feed_id = None if known else self._create(outline, found)
        if feed_id is not None:
            self.ids[feed_id] = None
        elif known in self.ids:
            self.repeated += 1
        else:
            self.there += 1

    def _create(self, outline: Outline, found: Found | None) -> int | None:
        """The new feed's id, as the file says in all; None when somebody else has just added it."""
        own = found.feed.title if found else ""
        try:
            with transaction.atomic():
                feed = Feed.objects.create(
                    url=found.url if found else outline.url,
                    title=outline.title if outline.title_given else own or outline.title,
                    title_given=outline.title_given,
                    only=entry_filter.normalize_filter(outline.only),
                    announce=self._announce,
                    next_fetch_at=self._now,
                    created_at=self._now,
                )
                self._adjust(outline, feed.id)
                return feed.id
        except IntegrityError:
            return None

    def _adjust(self, outline: Outline, feed_id: int) -> None:
        if outline.cut:
            done = manage.edit(feed_id, now=self._now, cut=outline.cut)
            if isinstance(done, Refused):
                self.problems.append(Problem(outline.line, f"added, but cut as usual: {done.reason}"))
        if outline.paused:
            manage.pause(feed_id)
