"""Prepare items and reasons for the templates: untrusted text defused, matched words marked, links checked."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from newsletter.editions.rendering import excerpt, highlight, size_limit, text_format
from newsletter.editions.rendering.values import ItemContent, Reason, Source, Span
from newsletter.lib.mail import placeholders

#: Matched words shown of a reason: more of them explain no more.
MOST_WORDS = 8
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class ShownItem:
    """An item as the templates show it."""

    title: str = field(repr=False)
    marked_title: Markup = field(repr=False)
    body: Markup = field(repr=False)
    text: str = field(repr=False)
    url: str
    host: str
    #: An HTML attribute, or nothing.
    lang: Markup
    dir: str
    #: CSS class of the script: `rtl`, `han` or nothing.
    script: str


@dataclass(frozen=True)
class ShownSource:
    """A source as the templates show it. It has a publisher, a date, or the host that its link leads to."""

    publisher: str
    date: str
    url: str
    host: str


@dataclass(frozen=True)
class MatchedWord:
    """A word as it stands in the item."""

    word: str = field(repr=False)
    #: The query's spelling of it, where the topic's name does not say that already.
    stands_for: str = field(repr=False)


@dataclass(frozen=True)
class ShownReason:
    """A reason as the templates show it."""

    is_keyword: bool
    name: str = field(repr=False)
    words: tuple[MatchedWord, ...] = field(repr=False)
    #: Matched words left out.
    more: int
    #: URL, or nothing.
    objection: str = field(repr=False)


def present_item(item: ItemContent, spans: Sequence[Span], language: str, length: int = size_limit.WHOLE) -> ShownItem:
    """What the templates show of an item, its text cut after `length` characters."""
    title = text_format.headline(item, language)
    # The first sentence heads a post without a title. Where the post is nothing else, the text would repeat it.
    is_title = "".join(item.text.split()) == "".join(title.split())
    text = "" if is_title else re.sub(r"\n{3,}", "\n\n", item.text.strip())
    body = "" if is_title else highlight.fit_for_mail(item.html)
    body = highlight.mark_html(body, item.text, _ranges(spans, "text")) if body else ""
    # Spans are offsets in the title as it is stored: they say nothing of another line that is shown instead.
    in_title = _ranges(spans, "title") if title == item.title else []
    if is_title and title == item.text:
        in_title = in_title + _ranges(spans, "text")
    if length != size_limit.WHOLE:
        body, text = excerpt.shorten_html(body, length), excerpt.shorten_text(text, length)
    url = placeholders.defuse(text_format.web_link(item.url))
    words = f"{item.title} {item.text}"
    direction = text_format.direction(words, item.lang)
    marked_title = placeholders.defuse(highlight.mark_line(title, in_title))
    return ShownItem(
        title=placeholders.defuse(title),
        marked_title=Markup(marked_title),  # noqa: S704 - escaped by mark_line
        body=Markup(placeholders.defuse(body)),  # noqa: S704 - cleaned by nh3 in fit_for_mail
        text=placeholders.defuse(text),
        url=url,
        host=text_format.host(url),
        lang=Markup(' lang="{}"').format(item.lang) if _LANGUAGE.fullmatch(item.lang) else Markup(),
        dir=direction,
        script="rtl" if direction == "rtl" else "han" if text_format.is_han(words) else "",
    )


def without_duplicates(items: Iterable[ItemContent]) -> list[ItemContent]:
    """The items of a story without those that repeat the text of one before them: a site may have several feeds."""
    by_text: dict[str, ItemContent] = {}
    for item in items:
        by_text.setdefault("".join(item.text.split()) or item.title, item)
    return list(by_text.values())


def present_sources(items: Iterable[ItemContent], locale: str) -> list[ShownSource]:
    """All sources of a story, each once, though items spell its URL in different ways."""
    by_page: dict[tuple[object, ...], Source] = {}
    for item in items:
        for source in item.sources:
            by_page.setdefault((source.publisher, source.published_on, source.page or source.url), source)
    shown = dict.fromkeys(_present_source(source, locale) for source in by_page.values())
    return [source for source in shown if source.publisher or source.date]


def present_reasons(reasons: Iterable[Reason], most_words: int = MOST_WORDS) -> list[ShownReason]:
    """The reasons in order, each with at most `most_words` words."""
    return [_present_reason(reason, most_words) for reason in reasons]


def _present_source(source: Source, locale: str) -> ShownSource:
    url = placeholders.defuse(text_format.web_link(source.url))
    host = text_format.host(url)
    publisher = placeholders.defuse(text_format.one_line(source.publisher))
    date = text_format.long_date(source.published_on, locale)
    return ShownSource(publisher or ("" if date else host), date, url, host)


def _present_reason(reason: Reason, most_words: int) -> ShownReason:
    name = text_format.one_line(reason.name)
    lines = (text_format.one_line(word) for word in reason.words)
    words = [line for line in lines if line]
    if reason.is_keyword and [word.casefold() for word in words] == [name.casefold()]:
        words = []
    return ShownReason(
        is_keyword=reason.is_keyword,
        name=placeholders.defuse(name),
        words=tuple(_matched_word(word, reason, name) for word in words[:most_words]),
        more=max(0, len(words) - most_words),
        objection=reason.objection_url,
    )


def _matched_word(word: str, reason: Reason, name: str) -> MatchedWord:
    spelling = text_format.one_line(reason.stands_for.get(word, ""))
    is_obvious = spelling.casefold() in (name.casefold(), word.casefold())
    return MatchedWord(placeholders.defuse(word), "" if is_obvious else placeholders.defuse(spelling))


def _ranges(spans: Iterable[Span], field_name: str) -> list[highlight.Range]:
    return [(span.start, span.end) for span in spans if span.field == field_name]
