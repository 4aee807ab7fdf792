"""Find where the articles of a compiled digest begin, and decide whether it is one."""

from collections.abc import Sequence
from itertools import pairwise

from newsletter.feeds.citations.canonical_url import original
from newsletter.feeds.citations.extract import Part, SourceLine
from newsletter.feeds.cutting.evidence import Post, against_links, length, numbers_promised
from newsletter.feeds.cutting.headlines import KINDS, heading_url
from newsletter.feeds.cutting.parts import ArticleStarts, headline_kind, is_rule, is_text, kind_name, size
from newsletter.feeds.cutting.post_words import NEWS
from newsletter.feeds.cutting.starts_by_sources import by_sources
from newsletter.feeds.html.blocks import Block

#: Words of a headline, on average; what is shorter is a name.
_HEADLINE = 3.5


def find_article_starts(parts: Sequence[Part], post: Post, mode: str) -> ArticleStarts:
    """Where articles begin in an entry.

    `mode` auto asks for proof; always takes any headings, bold lines or rules; anything else is the feed's selector, whose
    matches are marked.
    """
    if mode not in ("auto", "always"):
        return _by_selector(parts, mode)
    starts = by_sources(parts, post)
    if not starts.indexes:
        starts = _by_links(parts, post) or starts
    return starts if starts.indexes or mode == "auto" else _forced(parts)


def _by_selector(parts: Sequence[Part], selector: str) -> ArticleStarts:
    """What the feed's own selector matches, which is marked."""
    indexes = tuple(index for index, part in enumerate(parts) if isinstance(part, Block) and part.kind == "start")
    reason = f"'{selector}' is found in {len(indexes)} place{'' if len(indexes) == 1 else 's'}"
    if len(indexes) < 2:
        return ArticleStarts((), f"{reason}, and two are needed")
    return ArticleStarts(indexes, reason, short=True)


def _by_links(parts: Sequence[Part], post: Post) -> ArticleStarts | None:
    """Headlines that each link to a page of their own, with text below. Returns None if there are no such headlines."""
    for kind in KINDS:
        indexes = [index for index, part in enumerate(parts) if headline_kind(part) == kind]
        heads = [part for index in indexes if isinstance(part := parts[index], Block)]
        pages = {original(heading_url(head)) for head in heads}
        if len(indexes) < 2 or len(pages) < len(indexes) or "" in pages:
            continue
        have_text = all(index + 1 < len(parts) and is_text(parts[index + 1]) for index in indexes)
        if have_text and not _is_listicle(post.title, heads) and 2 * size(parts[: indexes[0]]) <= size(parts):
            articles = [parts[start + 1 : end] for start, end in pairwise((*indexes, len(parts)))]
            refutation = against_links(post, heads, articles)
            if refutation:
                return ArticleStarts((), refutation)
            reason = f"{len(indexes)} {kind_name(kind)}, each linked to a page of its own"
            return ArticleStarts(tuple(indexes), reason)
    return None


def _is_listicle(title: str, heads: Sequence[Block]) -> bool:
    """A title that promises as many things as there are headings, or headings that are names rather than headlines."""
    words = sum(length(head.text) for head in heads) / len(heads)
    return (len(heads) in numbers_promised(title) or words < _HEADLINE) and not NEWS.search(title)


def _forced(parts: Sequence[Part]) -> ArticleStarts:
    """Where a feed is cut that is always cut: at headlines, else at rules, else after source lines."""
    for kind in KINDS:
        indexes = tuple(index for index, part in enumerate(parts) if headline_kind(part) == kind)
        if len(indexes) >= 2:
            return ArticleStarts(indexes, f"under {kind_name(kind)}, as this feed is always cut")
    rules = tuple(index + 1 for index, part in enumerate(parts) if is_rule(part))
    if rules:
        return ArticleStarts((0, *rules), "between rules, as this feed is always cut")
    ends = [index + 1 for index, part in enumerate(parts) if isinstance(part, SourceLine) and part.is_certain]
    if len(ends) >= 2:
        return ArticleStarts((0, *ends[:-1]), "after each source line, as this feed is always cut", closing=True)
    return ArticleStarts((), "nothing to cut at")
