"""Import the feeds of an OPML file, each in a transaction of its own, and export all feeds as one."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from newsletter.audit.actor import Actor
from newsletter.feeds.catalogue import manage, new_feed, opml
from newsletter.feeds.catalogue.opml import OpmlProblem, Outline
from newsletter.feeds.catalogue.probe import FoundFeed, normal_url
from newsletter.feeds.html.sanitize_text import single_line
from newsletter.feeds.storage import entry_filter
from newsletter.lib.progress import Progress, no_progress
from newsletter.lib.refused import Refused
from newsletter.models import Feed

#: Bytes of a file, at most; of one that is sent from a page, and of the request that it comes in.
CAP, PAGE_CAP, LARGEST_BODY = 20_000_000, 1_000_000, 1_010_000
#: Hosts that are asked at the same time when feeds are checked.
AT_ONCE = 8

Find = Callable[[str], FoundFeed | Refused]


@dataclass(frozen=True)
class ImportedLine:
    """What became of the feed on a line: added, there (already), repeated (in the file) or problem, for `reason`.

    A feed that was added may have a reason, too: it is not cut as the file says.
    """

    line: int
    outcome: str
    name: str = ""
    feed_id: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class ImportedFeeds:
    """The result of an import: ids of new feeds, numbers of known and of repeated ones, and why others were not added.

    `lines` tells the same in the order of the file.
    """

    added: tuple[int, ...]
    there: int
    repeated: int
    problems: tuple[OpmlProblem, ...]
    lines: tuple[ImportedLine, ...] = ()


def import_opml(
    data: bytes,
    *,
    cap: int | None = None,
    now: datetime,
    actor: Actor,
    announce: str = "none",
    find: Find | None = None,
    progress: Progress = no_progress,
) -> ImportedFeeds | Refused:
    """Add the feeds of an OPML file, each in a transaction of its own. One that cannot be added does not stop the others.

    They are due at once, and their first poll shows whether they are feeds; with `find` each is read before, several hosts
    at a time (see `probe.find_feed`). `announce` says what of a first poll may be mailed. `progress` is called for each.
    `cap` is the most bytes instead of `CAP`.
    """
    if announce not in Feed.Announce.values:
        return Refused(f"--announce must be one of {', '.join(Feed.Announce.values)}")
    most = cap or CAP
    if len(data) > most:
        return Refused(f"it is larger than {most // 1_000_000} MB: split it into smaller files")
    read = opml.read(data)
    if isinstance(read, Refused):
        return read
    importer = _Importer(announce, now, actor, list(read.problems))
    outlines = importer.with_valid_urls(read.feeds)
    for done, (outline, online) in enumerate(_find_each(outlines, find), 1):
        importer.add(outline, online)
        progress(done, len(outlines))
    problems = sorted(importer.problems, key=lambda problem: problem.line)
    lines = tuple(sorted(importer.lines(), key=lambda line: line.line))
    return ImportedFeeds(tuple(importer.ids), importer.there, importer.repeated, tuple(problems), lines)


def export_opml(*, now: datetime) -> str:
    """Return all feeds but the built-in one as an OPML 2.0 file, which `import_opml` turns into the same feeds."""
    feeds = Feed.objects.exclude(state=Feed.State.BY_HAND).order_by("title", "id")
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


def _find_each(outlines: Iterable[Outline], find: Find | None) -> Iterator[tuple[Outline, FoundFeed | Refused | None]]:
    """Yield each outline with what `find` finds at its URL, None without `find`; one at a time per host."""
    if find is None:
        yield from ((outline, None) for outline in outlines)
        return
    by_host = defaultdict[str, list[Outline]](list)
    for outline in outlines:
        by_host[urlsplit(outline.url).netloc].append(outline)
    stopped = threading.Event()
    pool = ThreadPoolExecutor(AT_ONCE)

    def find_all(outlines_of_host: list[Outline]) -> list[tuple[Outline, FoundFeed | Refused]]:
        return [(outline, find(outline.url)) for outline in outlines_of_host if not stopped.is_set()]

    try:
        for pairs in pool.map(find_all, by_host.values()):
            yield from pairs
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


class _Importer:
    """Adds outlines one by one, and counts."""

    def __init__(self, announce: str, now: datetime, actor: Actor, problems: list[OpmlProblem]) -> None:
        self._announce, self._now, self._actor, self.problems = announce, now, actor, problems
        self.ids = dict[int, None]()
        self._told = list[ImportedLine]()
        #: Why feeds that were added are not as the file says, by their ids.
        self._adjusted = dict[int, str]()
        self.there = self.repeated = 0

    def with_valid_urls(self, outlines: Iterable[Outline]) -> list[Outline]:
        """Return those with an absolute URL, as it is stored; the others become problems."""
        valid = []
        for outline in outlines:
            url = normal_url(outline.url) if "://" in outline.url else ""
            if url:
                valid.append(replace(outline, url=url))
            else:
                plain = single_line(outline.url, cap=80)
                reason = f"'{plain}' is no absolute http or https URL without user name and password"
                self.problems.append(OpmlProblem(outline.line, reason))
        return valid

    def add(self, outline: Outline, online: FoundFeed | Refused | None) -> None:
        """Add one; `online` is what is at its URL, None if that was not read."""
        if isinstance(online, Refused):
            self.problems.append(OpmlProblem(outline.line, online.reason))
            return
        known = manage.find(online.url if online else outline.url)
        known = known or (manage.find(online.came_from) if online else None)
        feed_id = None if known else self._create(outline, online)
        outcome = "added" if feed_id is not None else "repeated" if known in self.ids else "there"
        if feed_id is not None:
            self.ids[feed_id] = None
        elif known in self.ids:
            self.repeated += 1
        else:
            self.there += 1
        name = outline.title or outline.url
        self._told.append(
            ImportedLine(outline.line, outcome, name, feed_id or known, self._adjusted.get(feed_id or 0, ""))
        )

    def lines(self) -> Iterator[ImportedLine]:
        """What became of each feed of the file, and what could not be read of it."""
        yield from self._told
        told = {(line.line, line.reason) for line in self._told}
        for problem in self.problems:
            if (problem.line, problem.reason) not in told:
                yield ImportedLine(problem.line, "problem", reason=problem.reason)

    def _create(self, outline: Outline, online: FoundFeed | None) -> int | None:
        """Create the feed as the file describes it and return its id; None if somebody else has just added it."""
        own_title = online.feed.title if online else ""
        try:
            with transaction.atomic():
                feed = Feed.objects.create(
                    url=online.url if online else outline.url,
                    title=outline.title if outline.title_given else own_title or outline.title,
                    title_given=outline.title_given,
                    only=entry_filter.normalize_filter(outline.only),
                    announce=self._announce,
                    next_fetch_at=self._now,
                    created_at=self._now,
                )
                new_feed.record_added(feed, actor=self._actor, now=self._now)
                self._adjust(outline, feed.id)
                return feed.id
        except IntegrityError:
            return None

    def _adjust(self, outline: Outline, feed_id: int) -> None:
        if outline.cut:
            done = manage.edit(feed_id, now=self._now, actor=self._actor, cut=outline.cut)
            if isinstance(done, Refused):
                self._adjusted[feed_id] = f"added, but cut as usual: {done.reason}"
                self.problems.append(OpmlProblem(outline.line, self._adjusted[feed_id]))
        if outline.paused:
            manage.pause(feed_id, now=self._now, actor=self._actor)
