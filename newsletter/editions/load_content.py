"""Load what the editions of a gathering are made of: items, stories, reasons, looks."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from newsletter.editions.content import OwedMatch
from newsletter.editions.reasons import Reasons
from newsletter.editions.rendering.values import ItemContent, MailOptions, Reason, Source, Span
from newsletter.models import Citation, Item, ItemVersion, Look, Match, Topic


class FoundWord(Protocol):
    """A word of a query as it stands in a text; offsets in code points."""

    @property
    def field(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True)
class Explainer:
    """How matches of keywords are explained: decrypted, and found in the text again. Curated topics have receipts."""

    #: Topic ids → the keywords as they were typed.
    keywords: Callable[[Collection[int]], Mapping[int, str]] = field(repr=False)
    #: (query, title, text) → where its words stand.
    find_words: Callable[[str, str, str], Sequence[FoundWord]]
    #: (item id, topic id) → the URL that counts one "not about this topic": the same for everybody.
    objection_url: Callable[[int, int], str]


@dataclass(frozen=True)
class EditionContent:
    """All that the editions of one gathering are made of."""

    matches: Mapping[int, OwedMatch]
    #: (item id, version) → the item.
    items: Mapping[tuple[int, int], ItemContent]
    #: Item id → its story.
    story_of: Mapping[int, int | None]
    reasons: Reasons
    looks: Mapping[int, MailOptions]


def load_content(match_ids: Collection[int], explainer: Explainer) -> EditionContent:
    """Read what belongs to these matches."""
    matches = list(Match.objects.filter(id__in=match_ids).select_related("item__entry"))
    items = _items({(match.item_id, match.item_version) for match in matches})
    topics = list(Topic.objects.filter(id__in={match.topic_id for match in matches}))
    keywords = explainer.keywords([topic.id for topic in topics if topic.kind == Topic.Kind.OWN])
    reasons = Reasons(
        items=items,
        spans={
            (match.item_id, match.item_version, match.topic_id): _spans(
                match, items[match.item_id, match.item_version], keywords, explainer
            )
            for match in matches
        },
        by_topic={
            topic.id: Reason(name=keywords.get(topic.id) or topic.name or "", is_keyword=topic.id in keywords, words=())
            for topic in topics
        },
        objection_url=explainer.objection_url,
    )
    return EditionContent(
        matches={match.id: _owed_match(match) for match in matches},
        items=items,
        story_of={match.item_id: match.item.story_id for match in matches},
        reasons=reasons,
        looks={row.id: look_of(row) for row in Look.objects.all()},
    )


def look_of(row: Look) -> MailOptions:
    """The look that a row stores."""
    return MailOptions(locale=row.locale, format=row.format, discreet=row.discreet)


def _owed_match(match: Match) -> OwedMatch:
    return OwedMatch(
        match_id=match.id,
        item_id=match.item_id,
        version=match.item_version,
        topic_id=match.topic_id,
        story_id=match.item.story_id,
        published_at=match.item.entry.published_at,
        position=match.item.position,
        owed_at=match.owed_at or match.matched_at,
    )


def _spans(match: Match, item: ItemContent, keywords: Mapping[int, str], explainer: Explainer) -> tuple[Span, ...]:
    """In title and text only: words in an author's or a publisher's name are not the item's own."""
    if match.topic_id in keywords:
        words = explainer.find_words(keywords[match.topic_id], item.title, item.text)
        spans = [Span(word.field, word.start, word.end) for word in words]
    else:
        spans = [
            Span(hit["field"], hit["start"], hit["end"], stands_for=_as_name(hit["term"]) if hit.get("alias") else "")
            for hit in match.receipt or []
        ]
    return tuple(span for span in spans if span.field in ("title", "text"))


def _as_name(term: str) -> str:
    """A word of a query as a name is written: the matcher stores all but acronyms in lower case."""
    return term.title() if term.islower() else term


def _items(versions: Collection[tuple[int, int]]) -> dict[tuple[int, int], ItemContent]:
    ids = {item_id for item_id, _ in versions}
    sources: dict[int, list[Source]] = defaultdict(list)
    for citation in Citation.objects.filter(item_id__in=ids).order_by("item_id", "n"):
        page = bytes(citation.url_hash or b"")
        sources[citation.item_id].append(Source(citation.publisher, citation.published_on, citation.url, page))
    items = {item.id: item for item in Item.objects.filter(id__in=ids).select_related("entry")}
    return {
        (version.item_id, version.n): _item(items[version.item_id], version, tuple(sources[version.item_id]))
        for version in ItemVersion.objects.filter(item_id__in=ids)
        if (version.item_id, version.n) in versions
    }


def _item(item: Item, version: ItemVersion, sources: tuple[Source, ...]) -> ItemContent:
    return ItemContent(
        item_id=item.id,
        version=version.n,
        title=version.title,
        text=version.text,
        html=version.html,
        url=item.entry.url,
        sources=sources,
        lang=item.lang,
        published_at=item.entry.published_at,
    )
