"""Rows in, the values that wording needs out: pieces of items, reasons with their words, looks."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from newsletter.editions import content
from newsletter.editions.rendering.renderer import Look, Piece, Reason, Source, Span
from newsletter.models import Citation, Item, ItemVersion, Match, Topic
from newsletter.models import Look as LookRow


class FoundWord(Protocol):
    """A word of a query as it stands in a text; offsets in code points."""

    @property
    def field(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True)
class Explaining:
    """How own keywords are explained: their words opened, and found again in a text. Curated topics have receipts."""

    #: Topic ids → the keyword as it was typed.
    own_words: Callable[[Collection[int]], Mapping[int, str]] = field(repr=False)
    #: (query, title, text) → where its words stand.
    spans: Callable[[str, str, str], Sequence[FoundWord]]
    #: (item, topic) → the URL that counts one "not about this topic": the same for everybody.
    objection: Callable[[int, int], str]


@dataclass(frozen=True)
class Shelf:
    """All that the editions of one gathering are made of."""

    hits: Mapping[int, content.Hit]
    pieces: Mapping[tuple[int, int], Piece]
    story_of: Mapping[int, int | None]
    #: (item, version, topic) → where the topic's words stand in that version.
    spans: Mapping[tuple[int, int, int], tuple[Span, ...]] = field(repr=False)
    names: Mapping[int, Reason] = field(repr=False)
    looks: Mapping[int, Look]
    objection: Callable[[int, int], str] = field(repr=False)

    def reasons(self, told: content.Content) -> list[Reason]:
        """Why these items are told, a reason per topic, with the words as they stand in the items."""
        reasons: dict[int, Reason] = {}
        for item_id, version, topics in told:
            for topic_id in topics:
                # of a story told by several items the first is objected to: it is what the topic brought
                known = reasons.get(topic_id) or self._named(item_id, topic_id)
                reasons[topic_id] = self._with_words(known, (item_id, version, topic_id))
        return [replace(reason, words=_distinct(reason.words)) for reason in reasons.values()]

    def _named(self, item_id: int, topic_id: int) -> Reason:
        reason = self.names[topic_id]
        return reason if reason.own else replace(reason, objection=self.objection(item_id, topic_id))

    def _with_words(self, reason: Reason, told: tuple[int, int, int]) -> Reason:
        piece = self.pieces[told[:2]]
        words, stands_for = list(reason.words), dict(reason.stands_for)
        for span in self.spans.get(told, ()):
            word = (piece.title if span.field == "title" else piece.text)[span.start : span.end]
            words.append(word)
            if span.stands_for:
                stands_for[word] = span.stands_for
        return replace(reason, words=tuple(words), stands_for=stands_for)

    def highlights(self, told: content.Content) -> dict[int, tuple[Span, ...]]:
        """Item id → where its matched words stand, for every topic it is told for."""
        return {
            item_id: tuple(
                sorted(
                    {span for topic in topics for span in self.spans.get((item_id, version, topic), ())},
                    key=_span_place,
                )
            )
            for item_id, version, topics in told
        }


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Without repeats that differ only in case."""
    return tuple({word.casefold(): word for word in reversed(list(words))}.values())[::-1]


def _span_place(span: Span) -> tuple[str, int, int]:
    return span.field, span.start, span.end


def shelf(match_ids: Collection[int], explaining: Explaining) -> Shelf:
    """Read what belongs to these matches."""
    matches = list(Match.objects.filter(id__in=match_ids).select_related("item__entry"))
    hits = {match.id: _hit(match) for match in matches}
    pieces = _pieces({(hit.item_id, hit.version) for hit in hits.values()})
    topics = list(Topic.objects.filter(id__in={match.topic_id for match in matches}))
    own = explaining.own_words([topic.id for topic in topics if topic.kind == Topic.Kind.OWN])
    names = {
        topic.id: Reason(name=own.get(topic.id) or topic.name or "", own=topic.id in own, words=()) for topic in topics
    }
    spans = {
        (match.item_id, match.item_version, match.topic_id): _spans(
            match, pieces[match.item_id, match.item_version], own, explaining
        )
        for match in matches
    }
    looks = {row.id: Look(locale=row.locale, format=row.format, discreet=row.discreet) for row in LookRow.objects.all()}
    story_of = {match.item_id: match.item.story_id for match in matches}
    return Shelf(
        hits=hits,
        pieces=pieces,
        story_of=story_of,
        spans=spans,
        names=names,
        looks=looks,
        objection=explaining.objection,
    )


def _hit(match: Match) -> content.Hit:
    return content.Hit(
        match_id=match.id,
        item_id=match.item_id,
        version=match.item_version,
        topic_id=match.topic_id,
        story_id=match.item.story_id,
        published_at=match.item.entry.published_at,
        position=match.item.position,
        owed_at=match.owed_at or match.matched_at,
    )


def _spans(match: Match, piece: Piece, own: Mapping[int, str], explaining: Explaining) -> tuple[Span, ...]:
    """In title and text; words in an author's or a publisher's name are not the item's own."""
    if match.topic_id in own:
        hits = explaining.spans(own[match.topic_id], piece.title, piece.text)
        found = [Span(hit.field, hit.start, hit.end) for hit in hits]
    else:
        found = [
            Span(hit["field"], hit["start"], hit["end"], stands_for=_name(hit["term"]) if hit.get("alias") else "")
            for hit in match.receipt or []
        ]
    return tuple(span for span in found if span.field in ("title", "text"))


def _name(term: str) -> str:
    """A word of a query as a name is written: the matcher keeps small letters only, but for acronyms."""
    return term.title() if term.islower() else term


def _pieces(wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], Piece]:
    ids = {item_id for item_id, _ in wanted}
    sources: dict[int, list[Source]] = defaultdict(list)
    for citation in Citation.objects.filter(item_id__in=ids).order_by("item_id", "n"):
        page = bytes(citation.url_hash or b"")
        sources[citation.item_id].append(Source(citation.publisher, citation.published_on, citation.url, page))
    items = {item.id: item for item in Item.objects.filter(id__in=ids).select_related("entry")}
    return {
        (row.item_id, row.n): _piece(items[row.item_id], row, tuple(sources[row.item_id]))
        for row in ItemVersion.objects.filter(item_id__in=ids)
        if (row.item_id, row.n) in wanted
    }


def _piece(item: Item, row: ItemVersion, sources: tuple[Source, ...]) -> Piece:
    return Piece(
        item_id=item.id,
        version=row.n,
        title=row.title,
        text=row.text,
        html=row.html,
        url=item.entry.url,
        sources=sources,
        lang=item.lang,
        published_at=item.entry.published_at,
    )
