"""Cut an entry into its articles: a compiled digest becomes several pieces, an ordinary post with sub-headings stays one."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter.feeds.citations.canonical_url import original
from newsletter.feeds.citations.extract import Part, SourceLine, mark_source_lines, take_citations
from newsletter.feeds.citations.source_line import CitedSource
from newsletter.feeds.cutting import headlines
from newsletter.feeds.cutting.article_starts import find_article_starts
from newsletter.feeds.cutting.evidence import Post
from newsletter.feeds.cutting.headlines import KINDS, kind_of
from newsletter.feeds.cutting.parts import ArticleStarts
from newsletter.feeds.html import css_selector, sanitize_html
from newsletter.feeds.html.blocks import HEADINGS, MARKS, Block, to_html, to_text
from newsletter.feeds.parsing.model import ParsedEntry

#: Ways to cut besides a CSS selector.
MODES = ("auto", "never", "always")
#: The key of an ordinary post's only item.
WHOLE = b"whole"
#: Words around the articles of a compiled digest (a greeting, a footer) are no item below so many characters.
SUBSTANTIAL = 500
#: An entry that would make more pieces than this is no digest; it stays whole.
MOST = 200


@dataclass(frozen=True)
class Piece:
    """One article. `key` tells it from its neighbours in any order; `html` is safe, `text` the same as plain text."""

    key: bytes
    title: str
    html: str
    text: str
    cited: tuple[CitedSource, ...]

    @property
    def original(self) -> str:
        """The canonical URL of what it is about; empty when it cites nothing, or only a home page."""
        return next((original(source.url) for source in self.cited if original(source.url)), "")


@dataclass(frozen=True)
class Cut:
    """What became of an entry. `reason` explains it to an operator; `left_out` is text that is in no piece."""

    pieces: tuple[Piece, ...]
    reason: str
    left_out: str = ""


def refusal(mode: str) -> str:
    """Why a feed cannot be cut by `mode`, on one line with what to do; empty when it can."""
    return "" if mode in MODES else css_selector.refusal(mode)


def cut_entry(entry: ParsedEntry, mode: str = "auto") -> Cut:
    """The articles of an entry. `mode` is one of `MODES`, or a CSS selector of what begins an article (see `cut`)."""
    chosen = "" if mode in MODES else mode
    day = entry.published_at.date() if entry.published_at else None
    return cut(
        sanitize_html.parse_blocks(entry.html, entry.base, chosen),
        Post(entry.title, day, entry.url or entry.base),
        mode,
    )


def cut(blocks: Sequence[Block], post: Post, mode: str = "auto") -> Cut:
    """The articles of an entry.

    `mode` auto asks for proof (several source lines under headlines, or headlines that link to pages of their own); always
    takes any headings, bold lines or rules; never leaves the entry whole; a selector takes the blocks of kind start that
    `parse_blocks` put before its matches. Words before the first and after the last article are no item, unless they are
    `SUBSTANTIAL`: then they are one under the entry's own title.
    """
    title = post.title
    if mode == "never":
        return _whole(blocks, title, "treated as one article: this feed is never cut")
    parts = [
        piece
        for part in mark_source_lines(blocks)
        for piece in (headlines.split_paragraph(part) if isinstance(part, Block) else [part])
    ]
    starts = find_article_starts(parts, post, mode)
    if not starts.indexes:
        return _whole(blocks, title, f"treated as one article: {starts.reason}")
    drafts, left = _drafts(parts, starts, title)
    if not 2 <= len(drafts) <= MOST:
        return _whole(blocks, title, f"treated as one article: cutting would make {len(drafts)}")
    pieces = _with_keys([_piece(draft) for draft in drafts])
    return Cut(pieces, f"{len(pieces)} articles: {starts.reason}", to_text(_texts(left)))


def _whole(blocks: Sequence[Block], title: str, reason: str) -> Cut:
    cited, body = take_citations(mark_source_lines(blocks))
    text = to_text(body)
    return Cut((Piece(WHOLE, title or headlines.headline_from_text(text), to_html(body), text, cited),), reason)


@dataclass(frozen=True)
class _Draft:
    """Parts of one article; `title` is the entry's, for words around the articles, and `starts` how the articles begin."""

    parts: tuple[Part, ...]
    starts: ArticleStarts
    title: str = ""


def _drafts(parts: Sequence[Part], starts: ArticleStarts, title: str) -> tuple[list[_Draft], list[Part]]:
    """(articles, parts that are in none)."""
    lead, left = list(parts[: starts.indexes[0]]), list[Part]()
    sections = [
        list(parts[start:end]) for start, end in zip(starts.indexes, (*starts.indexes[1:], len(parts)), strict=True)
    ]
    sections = _merge_headlines(sections)
    for section in sections:
        while len(section) > 1 and _is_loose(section[-1], section[-2]):
            left.append(section.pop())
    end = _end(sections[-1], starts)
    outro = sections[-1][end:]
    del sections[-1][end:]
    drafts = [_Draft(tuple(section), starts) for section in sections if _size(section)]
    before, after = (
        [_Draft(tuple(words), starts, title)] if _size(words) >= SUBSTANTIAL else [] for words in (lead, outro)
    )
    left += [*([] if before else lead), *([] if after else outro)]
    return [*before, *drafts, *after], left


def _end(section: Sequence[Part], starts: ArticleStarts) -> int:
    """Where the last article ends: after its source line, else before a rule with nothing but a few words behind it."""
    ends = [index + 1 for index, part in enumerate(section) if isinstance(part, SourceLine)]
    if starts.closing:
        return ends[-1] if ends else len(section)
    rules = [index for index, part in enumerate(section) if index and isinstance(part, Block) and part.kind == "rule"]
    return rules[-1] if rules and not ends and _size(section[rules[-1] :]) < SUBSTANTIAL else len(section)


def _is_loose(part: Part, before: Part) -> bool:
    """A rule, or a heading of a higher rank over the next articles: part of none of them."""
    if not isinstance(part, Block):
        return False
    return part.kind in ("rule", *HEADINGS) or (isinstance(before, SourceLine) and bool(kind_of(part)))


def _merge_headlines(sections: list[list[Part]]) -> list[list[Part]]:
    """Sections, in which a headline without text below it begins the section after it, as the first of two lines."""
    out: list[list[Part]] = []
    waiting: list[Part] = []
    for section in sections:
        waiting += section
        if any(not isinstance(part, Block) or not (part.kind in MARKS or kind_of(part)) for part in section):
            out.append(waiting)
            waiting = []
    if waiting and out:
        out[-1] += waiting
    return out or [waiting]


def _piece(draft: _Draft) -> Piece:
    parts = list(draft.parts)
    while parts and isinstance(parts[0], Block) and parts[0].kind in MARKS:
        parts.pop(0)
    first = parts[0] if parts and isinstance(parts[0], Block) else None
    title, link = draft.title, ""
    if first is not None and not title:
        head = replace(first, lines=first.lines[:1]) if draft.starts.short else first
        if kind_of(first) in KINDS or (draft.starts.short and headlines.is_short_line(head)):
            title, link = headlines.strip_number(head.text), headlines.heading_url(head)
            rest = first.lines[len(head.lines) :]
            parts[:1] = [replace(first, lines=rest)] if rest else []
        elif draft.starts.bold_lead:
            title = headlines.bold_lead(first)
    cited, body = take_citations(parts)
    if not cited and original(link):
        cited = (CitedSource("", None, link),)
    text = to_text(body)
    return Piece(b"", title or headlines.headline_from_text(text), to_html(body), text, cited)


def _with_keys(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Keys by original URL where it is unique in the entry, else by headline, else by headline and text."""
    urls = Counter(piece.original for piece in pieces)
    names = Counter(
        headlines.comparison_key(piece.title) for piece in pieces if urls[piece.original] > 1 or not piece.original
    )
    out: dict[bytes, Piece] = {}
    for piece in pieces:
        name = headlines.comparison_key(piece.title)
        if piece.original and urls[piece.original] == 1:
            key = _hash("url", piece.original)
        elif names[name] == 1:
            key = _hash("title", name)
        else:
            key = _hash("text", name, piece.text)
        # an article that stands twice in one entry is one piece
        out.setdefault(key, replace(piece, key=key))
    return tuple(out.values())


def _hash(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()


def _size(parts: Sequence[Part]) -> int:
    return sum(len(part.text) for part in _texts(parts)) + sum(not isinstance(part, Block) for part in parts)


def _texts(parts: Sequence[Part]) -> list[Block]:
    out: list[Block] = []
    for part in parts:
        out += [part] if isinstance(part, Block) else part.blocks
    return out
