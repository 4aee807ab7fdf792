"""Commands that list and search stored items, and show one of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.cli.feeds.options import feed_id_of
from newsletter.cli.output import Json, example, fail, joined, note, result, table, when
from newsletter.cli.service.migrations import ready
from newsletter.feeds.catalogue.item_history import StoredItemDetails, item_details
from newsletter.lib import db
from newsletter.matching.items import item_list, near_misses, receipts
from newsletter.matching.items.excerpt import Line
from newsletter.matching.items.item_filter import ItemFilter, WrongQuery
from newsletter.matching.items.near_misses import NearMiss
from newsletter.matching.items.receipts import TopicReceipt
from newsletter.matching.live_index.stored_items import document
from newsletter.matching.topics.lookup import find_topic, no_such_topic

app = typer.Typer()

_DAY = ["%Y-%m-%d"]


@app.command(
    "list",
    epilog=example("items list", "items list 'Uyghur NOT stocks' --from 2026-10-01", "items list --unmatched --feed 3"),
)
def list_items(
    words: Annotated[str, typer.Argument(metavar="[QUERY]", help="What to look for: see docs/queries.md.")] = "",
    feed: Annotated[str, typer.Option(help="Only items of this feed: its ID or URL.")] = "",
    topic: Annotated[str, typer.Option(help="Only items that matched this topic.")] = "",
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="Published on this day or later.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="Published on this day or earlier.")
    ] = None,
    matched: Annotated[
        bool | None, typer.Option("--matched/--unmatched", help="Only items that matched a topic, or none.")
    ] = None,
    after: Annotated[int | None, typer.Option(help="Go on after this item: the last of the list before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Items to show.")] = 25,
    json: Json = False,
) -> None:
    """List stored items, newest first, or search all of them by words."""
    ready()
    chosen = ItemFilter(
        words=words,
        feed_id=feed_id_of(feed) if feed else None,
        topic_id=_topic_id(topic) if topic else None,
        since=since.replace(tzinfo=UTC) if since else None,
        until=until.replace(tzinfo=UTC) + timedelta(days=1) if until else None,
        matched=matched,
    )
    index, now = wiring.item_index(), db.now()
    found = item_list.list_items(chosen, index=index, now=now, after=after, size=limit, seconds=inf)
    if isinstance(found, WrongQuery):
        fail(f"the query cannot be used, {found.sentence}")
    columns = {
        "Item": lambda row: row.item_id,
        "Published": lambda row: row.published_at,
        "Title": lambda row: _plain(row.title),
        "Feed": lambda row: row.feed,
        "Topics": lambda row: joined(row.topics),
    }
    if json:
        result(found, json)
        return
    table(found.rows, json, columns, empty="No stored item fits this search.")
    if found.after is not None:
        note(f"There are more: --after {found.after} goes on.")


@app.command(epilog=example("items show 12"))
def show(
    item: Annotated[int, typer.Argument(metavar="ITEM", min=1, help="The item's number.")], json: Json = False
) -> None:
    """Show an item: its sources, versions, and the topics that it matched or nearly matched."""
    ready()
    details = item_details(item)
    if details is None:
        fail("there is no such item: see 'newsletter items list'")
    now, threshold = db.now(), wiring.config().small_number
    matched = receipts.receipts(details.item, now=now, threshold=threshold)
    publishers = [source.publisher for source in details.sources if source.publisher]
    fit = near_misses.fit_topics(
        document(details.item, details.version, publishers), besides={row.topic_id for row in matched}
    )
    shown = {
        "item": item,
        "title": details.version.title,
        "text": details.version.text,
        "feed": details.item.entry.feed_id,
        "entry": details.item.entry_id,
        "url": details.item.entry.url,
        "sources": details.sources,
        "versions": details.versions,
        "matched": matched,
        "near": fit.near,
        "mailed": receipts.mailed(details.item, now=now, threshold=threshold),
    }
    result(shown, json, *_lines(details, matched, fit.near))


def _lines(details: StoredItemDetails, matched: tuple[TopicReceipt, ...], near: tuple[NearMiss, ...]) -> Iterator[str]:
    entry = details.item.entry
    yield f"item {details.item.id}: {details.version.title}"
    yield f"feed {entry.feed_id} ({entry.feed.title}), entry {entry.id}, published {when(entry.published_at)}"
    for source in details.sources:
        yield f"source: {joined(filter(None, (source.publisher, source.published_on, source.url)))}"
    for version in details.versions:
        kind = "first" if version.n == 1 else "matched again" if version.material else "a small correction"
        yield f"version {version.n}, {when(version.seen_at)}: {kind}"
    yield ""
    for row in matched:
        words = joined(f"“{word.word}”" for word in row.words)
        people = "" if row.people is None else f", in the mail of {row.people} who follow it"
        yield f"matched {row.name}, revision {row.revision}: {words}  ({row.fate}{people})"
    for miss in near:
        yield f"nearly {miss.name}: {near_sentence(miss)}"
    if not matched and not near:
        yield "It matched no topic."
    yield ""
    yield details.version.text.strip()


def near_sentence(miss: NearMiss) -> str:
    """Which clause failed, for people."""
    parts = [
        f"without {' or '.join(miss.missing)}" if miss.missing else "",
        f"because of {' and '.join(miss.excluded)}" if miss.excluded else "",
        f"{', '.join(miss.without_context)} stands alone" if miss.without_context else "",
    ]
    return "; ".join(filter(None, parts))


def _plain(line: Line) -> str:
    return "".join(run.text for run in line)


def _topic_id(name: str) -> int:
    topic = find_topic(name)
    if topic is None:
        fail(no_such_topic().reason)
    return topic.id
