"""Items: searched, shown, matched and published."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import uuid4

from django.http import HttpRequest
from ninja import Path, Query, Router, Status
from ninja.errors import HttpError
from pydantic import Field

from newsletter import wiring
from newsletter.feeds import publish as hand
from newsletter.feeds.catalogue.item_history import item_details
from newsletter.feeds.hand_draft import HandDraft
from newsletter.lib import db
from newsletter.matching.items import item_list, receipts
from newsletter.matching.items.excerpt import Line
from newsletter.matching.items.item_filter import ItemFilter, WrongQuery
from newsletter.web.api.operation import Scope, actor_of, operation, utc
from newsletter.web.api.paging import After, ApiPage, Limit
from newsletter.web.api.problems import missing, or_refused
from newsletter.web.api.schema import ApiSchema, Id, LongText, People, Text

router = Router(tags=["items"])


class ListedItemOut(ApiSchema):
    """An item of a list; `topics` are those that it matched."""

    id: int = Field(examples=[12])
    title: str = Field(examples=["A hearing on forced labour"])
    excerpt: str = Field(examples=["Parliament hears …"])
    feed_id: int = Field(examples=[1])
    publishers: list[str] = Field(examples=[["The Paper"]])
    published_at: datetime = Field(examples=["2026-11-24T09:00:00Z"])
    topics: list[str] = Field(examples=[["Uyghur"]])
    lang: str = Field(examples=["en"])


class SourceOut(ApiSchema):
    """Where an item was published."""

    publisher: str = Field(examples=["The Paper"])
    published_on: date | None = Field(examples=["2026-11-20"])
    url: str = Field(examples=["https://paper.example/hearing"])


class MatchOut(ApiSchema):
    """A topic that an item matched, the words, and what became of it."""

    topic_id: int = Field(examples=[7])
    name: str = Field(examples=["Uyghur"])
    revision: int = Field(examples=[4])
    words: list[str] = Field(examples=[["Uighur"]])
    matched_at: datetime = Field(examples=["2026-11-24T09:00:00Z"])
    fate: str = Field(examples=["mailed"])
    people: People | None


class ItemOut(ApiSchema):
    """An item with its sources and matches. `mailed`: to how many people."""

    id: int = Field(examples=[12])
    title: str = Field(examples=["A hearing on forced labour"])
    text: str = Field(examples=["Parliament hears …"])
    version: int = Field(examples=[1])
    feed_id: int = Field(examples=[1])
    url: str = Field(examples=["https://digest.example/12"])
    published_at: datetime = Field(examples=["2026-11-24T09:00:00Z"])
    sources: list[SourceOut]
    matched: list[MatchOut]
    mailed: People | None


class ItemIn(ApiSchema):
    """An item to publish by hand."""

    title: Text = Field(examples=["A hearing on forced labour"])
    text: LongText = Field(examples=["Parliament hears *witnesses* today."])
    publisher: Text = Field("", examples=["The Paper"])
    published_on: date | None = Field(None, examples=["2026-11-20"])
    url: Annotated[Text, Field(max_length=2000)] = Field("", examples=["https://paper.example/hearing"])
    language: Annotated[Text, Field(max_length=35)] = Field("en", examples=["en"])


@operation(router, "GET", "/items", Scope.READ, ApiPage[ListedItemOut])
def list_items(
    request: HttpRequest,
    after: After = None,
    limit: Limit = 25,
    q: Annotated[Text, Query(description="Words to look for, in the query language.")] = "",
    feed: Annotated[Id | None, Query(description="Only items of this feed.")] = None,
    topic: Annotated[Id | None, Query(description="Only items that matched this topic.")] = None,
    since: Annotated[datetime | None, Query(description="Published at this moment or later.")] = None,
    until: Annotated[datetime | None, Query(description="Published before this moment.")] = None,
    matched: Annotated[bool | None, Query(description="Only items that matched a topic, or none.")] = None,
) -> Any:
    """List stored items, newest first, or search all of them by words. A search that takes too long returns a part of a page."""
    chosen = ItemFilter(q, feed, topic, utc(since), utc(until), matched)
    found = item_list.list_items(chosen, index=wiring.item_index(), now=db.now(), after=after, size=limit)
    if isinstance(found, WrongQuery):
        raise HttpError(422, f"the query cannot be used, column {found.column}: {found.hint}")
    return {"rows": list(map(_listed, found.rows)), "after": found.after}


@operation(router, "POST", "/items", Scope.ITEMS, ItemOut, status=201)
def publish_item(request: HttpRequest, item: ItemIn) -> Any:
    """Publish an item by hand: it is matched and mailed like an item of a feed."""
    draft = HandDraft(item.title, item.text, item.publisher, item.published_on, item.url, item.language)
    made = or_refused(hand.publish(draft, token=uuid4(), actor=actor_of(request), now=db.now()))
    return Status(201, _item(made.item_id))


@operation(router, "GET", "/items/{item_id}", Scope.READ, ItemOut)
def show_item(request: HttpRequest, item_id: Path[Id]) -> Any:
    """Show one item, with the topics that it matched."""
    return _item(item_id)


def _item(item_id: int) -> ItemOut:
    details = item_details(item_id)
    if details is None:
        raise missing("item")
    now, threshold = db.now(), wiring.config().small_number
    entry = details.item.entry
    return ItemOut(
        id=item_id,
        title=details.version.title,
        text=details.version.text,
        version=details.version.n,
        feed_id=entry.feed_id,
        url=entry.url,
        published_at=entry.published_at,
        sources=[
            SourceOut(publisher=row.publisher, published_on=row.published_on, url=row.url) for row in details.sources
        ],
        matched=[_match(row) for row in receipts.receipts(details.item, now=now, threshold=threshold)],
        mailed=People.of(receipts.mailed(details.item, now=now, threshold=threshold)),
    )


def _match(row: receipts.TopicReceipt) -> MatchOut:
    return MatchOut(
        topic_id=row.topic_id,
        name=row.name,
        revision=row.revision,
        words=[word.word for word in row.words],
        matched_at=row.matched_at,
        fate=row.fate,
        people=People.of(row.people),
    )


def _listed(row: item_list.ListedItem) -> ListedItemOut:
    return ListedItemOut(
        id=row.item_id,
        title=_plain(row.title),
        excerpt=_plain(row.excerpt),
        feed_id=row.feed_id,
        publishers=list(row.publishers),
        published_at=row.published_at,
        topics=list(row.topics),
        lang=row.lang,
    )


def _plain(line: Line) -> str:
    return "".join(run.text for run in line)
