"""Why an item is in somebody's mail: the topics or keywords that matched it, and the words that did."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from newsletter.editions.content import Content
from newsletter.editions.rendering.values import ItemContent, Reason, Span


@dataclass(frozen=True)
class Reasons:
    """The reasons for all items of one gathering."""

    #: (item id, version) → the item.
    items: Mapping[tuple[int, int], ItemContent]
    #: (item id, version, topic id) → where the topic's words stand in that version.
    spans: Mapping[tuple[int, int, int], tuple[Span, ...]] = field(repr=False)
    #: Topic id → its reason, still without words.
    by_topic: Mapping[int, Reason] = field(repr=False)
    #: (item id, topic id) → the URL that counts one "not about this topic".
    objection_url: Callable[[int, int], str] = field(repr=False)

    def of(self, content: Content) -> list[Reason]:
        """Why these items are in the mail: a reason for each topic, with the words as they stand in the items."""
        reasons: dict[int, Reason] = {}
        for item_id, version, topic_ids in content:
            for topic_id in topic_ids:
                # the objection is to the first item of a story: that is what the topic matched
                reason = reasons.get(topic_id) or self._without_words(item_id, topic_id)
                reasons[topic_id] = self._with_words(reason, (item_id, version, topic_id))
        return [replace(reason, words=_distinct(reason.words)) for reason in reasons.values()]

    def spans_by_item(self, content: Content) -> dict[int, tuple[Span, ...]]:
        """Item id → where its matched words stand, for all its topics."""
        return {
            item_id: tuple(
                sorted(
                    {span for topic_id in topic_ids for span in self.spans.get((item_id, version, topic_id), ())},
                    key=_position,
                )
            )
            for item_id, version, topic_ids in content
        }

    def _without_words(self, item_id: int, topic_id: int) -> Reason:
        reason = self.by_topic[topic_id]
        return reason if reason.is_keyword else replace(reason, objection_url=self.objection_url(item_id, topic_id))

    def _with_words(self, reason: Reason, match: tuple[int, int, int]) -> Reason:
        item = self.items[match[:2]]
        words, stands_for = list(reason.words), dict(reason.stands_for)
        for span in self.spans.get(match, ()):
            word = (item.title if span.field == "title" else item.text)[span.start : span.end]
            words.append(word)
            if span.stands_for:
                stands_for[word] = span.stands_for
        return replace(reason, words=tuple(words), stands_for=stands_for)


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Without repeats that differ only in case."""
    return tuple({word.casefold(): word for word in reversed(list(words))}.values())[::-1]


def _position(span: Span) -> tuple[str, int, int]:
    return span.field, span.start, span.end
