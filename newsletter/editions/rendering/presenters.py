"""Pieces and reasons made ready for the templates: untrusted text defused, words marked, links checked."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from newsletter.editions.rendering import excerpt, highlight, size_limit, text_format
from newsletter.editions.rendering.values import Piece, Reason, Source, Span
from newsletter.lib import placeholders

#: More words than these say no more about why.
MOST_WORDS = 8
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Told:
    """A piece as the templates show it. `lang` is an attribute or nothing."""

    title: str = field(repr=False)
    marked_title: Markup = field(repr=False)
    body: Markup = field(repr=False)
    text: str = field(repr=False)
    url: str
    host: str
    lang: Markup
    dir: str
    #: How it is set: `rtl`, `han` or nothing.
    script: str


@dataclass(frozen=True)
class Cited:
    """A source in words, with the host that its link leads to. Never without a publisher and a date, but for its host."""

    publisher: str
    date: str
    url: str
    host: str


@dataclass(frozen=True)
class Cause:
    """A reason in words; `more` counts the words left out. `objection` is a URL, or nothing."""

    what: str
    name: str = field(repr=False)
    words: tuple["Said", ...] = field(repr=False)
    more: int
    objection: str = field(repr=False)


@dataclass(frozen=True)
class Said:
    """A word as it stands in the item, and whose other spelling it is, where the topic's name does not say that already."""

    word: str = field(repr=False)
    stands_for: str = field(repr=False)


def told(piece: Piece, spans: Sequence[Span], length: int = size_limit.WHOLE) -> Told:
    """What the templates show of a piece, its text cut after `length` characters."""
    title = text_format.headline(piece)
    # a post without a title is headed by its first sentence: where that is all there is, it is not said again below
    is_title = "".join(piece.text.split()) == "".join(title.split())
    text = "" if is_title else re.sub(r"\n{3,}", "\n\n", piece.text.strip())
    body = "" if is_title else highlight.fit_for_mail(piece.html)
    body = highlight.mark_html(body, piece.text, _ranges(spans, "text")) if body else ""
    # spans speak of the title as it is stored: of another line that is shown instead they would say nothing
    in_title = _ranges(spans, "title") if title == piece.title else []
    if is_title and title == piece.text:
        in_title = in_title + _ranges(spans, "text")
    if length != size_limit.WHOLE:
        body, text = excerpt.shorten_html(body, length), excerpt.shorten_text(text, length)
    url = placeholders.defuse(text_format.web_link(piece.url))
    words = f"{piece.title} {piece.text}"
    dir_ = text_format.direction(words, piece.lang)
    return Told(
        title=placeholders.defuse(title),
        marked_title=Markup(placeholders.defuse(highlight.mark_line(title, in_title))),  # noqa: S704 - escaped by mark_line
        body=Markup(placeholders.defuse(body)),  # noqa: S704 - cleaned by nh3 in fit_for_mail
        text=placeholders.defuse(text),
        url=url,
        host=text_format.host(url),
        lang=Markup(' lang="{}"').format(piece.lang) if _LANGUAGE.fullmatch(piece.lang) else Markup(),
        dir=dir_,
        script="rtl" if dir_ == "rtl" else "han" if text_format.is_han(words) else "",
    )


def worded_apart(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces of a story without those that say word for word what one before them said: a site may have several feeds."""
    said: dict[str, Piece] = {}
    for piece in pieces:
        said.setdefault("".join(piece.text.split()) or piece.title, piece)
    return list(said.values())


def citations(pieces: Iterable[Piece], locale: str) -> list[Cited]:
    """All sources of a story, each once, though items spell its URL in different ways."""
    once: dict[tuple[object, ...], Source] = {}
    for piece in pieces:
        for source in piece.sources:
            once.setdefault((source.publisher, source.published_on, source.page or source.url), source)
    cited = dict.fromkeys(_cited(source, locale) for source in once.values())
    return [one for one in cited if one.publisher or one.date]


def causes(reasons: Iterable[Reason], most_words: int = MOST_WORDS) -> list[Cause]:
    """The reasons in order, each with at most `most_words` words."""
    return [_cause(reason, most_words) for reason in reasons]


def _cited(source: Source, locale: str) -> Cited:
    url = placeholders.defuse(text_format.web_link(source.url))
    host = text_format.host(url)
    publisher, date = text_format.one_line(source.publisher), text_format.on_date(source.published_on, locale)
    return Cited(placeholders.defuse(publisher) or ("" if date else host), date, url, host)


def _cause(reason: Reason, most_words: int) -> Cause:
    name = text_format.one_line(reason.name)
    words = [word for one in reason.words if (word := text_format.one_line(one))]
    if reason.own and [word.casefold() for word in words] == [name.casefold()]:
        words = []
    return Cause(
        what="your own word" if reason.own else "topic",
        name=placeholders.defuse(name),
        words=tuple(_said(word, reason, name) for word in words[:most_words]),
        more=max(0, len(words) - most_words),
        objection=reason.objection,
    )


def _said(word: str, reason: Reason, name: str) -> Said:
    other = text_format.one_line(reason.stands_for.get(word, ""))
    told = other.casefold() in (name.casefold(), word.casefold())
    return Said(placeholders.defuse(word), "" if told else placeholders.defuse(other))


def _ranges(spans: Iterable[Span], name: str) -> list[highlight.Range]:
    return [(span.start, span.end) for span in spans if span.field == name]
