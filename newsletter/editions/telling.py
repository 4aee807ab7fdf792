"""Pieces and reasons made ready for the templates: untrusted text defused, words marked, links checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from newsletter import mail
from newsletter.editions import highlight, phrases
from newsletter.editions.parts import Piece, Reason, Source, Span

#: More words than these say no more about why.
MOST_WORDS = 8


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


@dataclass(frozen=True)
class Cited:
    """A source in words, with the host that its link leads to."""

    words: str
    url: str
    host: str


@dataclass(frozen=True)
class Cause:
    """A reason in words; `more` counts the words left out."""

    what: str
    name: str = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    more: int


def told(piece: Piece, spans: Sequence[Span]) -> Told:
    """What the templates show of a piece."""
    title = phrases.headline(piece)
    body = highlight.fit_for_mail(piece.html)
    body = highlight.mark_html(body, piece.text, _ranges(spans, "text"))
    # spans speak of the title as it is stored: of another line that is shown instead they would say nothing
    in_title = _ranges(spans, "title") if title == piece.title else []
    url = mail.defuse(phrases.web_link(piece.url))
    return Told(
        title=mail.defuse(title),
        marked_title=Markup(mail.defuse(highlight.mark_line(title, in_title))),  # noqa: S704 - escaped by mark_line
        body=Markup(mail.defuse(body)),  # noqa: S704 - cleaned by nh3 in fit_for_mail
        text=mail.defuse(piece.text.strip()),
        url=url,
        host=phrases.host(url),
        lang=Markup(' lang="{}"').format(piece.lang) if piece.lang else Markup(),
        dir=phrases.direction(f"{piece.title} {piece.text}", piece.lang),
    )


def citations(pieces: Iterable[Piece], locale: str) -> list[Cited]:
    """All sources of a story, each once."""
    cited = dict.fromkeys(_cited(source, locale) for piece in pieces for source in piece.sources)
    return [one for one in cited if one.words]


def causes(reasons: Iterable[Reason]) -> list[Cause]:
    """The reasons in order."""
    return [_cause(reason) for reason in reasons]


def _cited(source: Source, locale: str) -> Cited:
    url = mail.defuse(phrases.web_link(source.url))
    return Cited(mail.defuse(phrases.cited(source, locale)), url, phrases.host(url))


def _cause(reason: Reason) -> Cause:
    name = phrases.one_line(reason.name)
    words = [phrases.one_line(word) for word in reason.words if word.strip()]
    if reason.own and [word.casefold() for word in words] == [name.casefold()]:
        words = []
    return Cause(
        what="your own word" if reason.own else "topic",
        name=mail.defuse(name),
        words=tuple(mail.defuse(word) for word in words[:MOST_WORDS]),
        more=max(0, len(words) - MOST_WORDS),
    )


def _ranges(spans: Iterable[Span], name: str) -> list[highlight.Range]:
    return [(span.start, span.end) for span in spans if span.field == name]
