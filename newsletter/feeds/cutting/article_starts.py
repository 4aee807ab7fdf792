"""Where the articles of a compiled digest begin, and how we know that it is one."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from newsletter.feeds.citations.canonical_url import original
from newsletter.feeds.citations.extract import Part, SourceLine
from newsletter.feeds.cutting.evidence import Post, against_links, against_sources, length, most
from newsletter.feeds.cutting.headlines import KINDS, bold_lead, comparison_key, heading_url, is_short_line, kind_of
from newsletter.feeds.cutting.post_words import COMPILED, NEWS
from newsletter.feeds.html.blocks import HEADINGS, Block

_NAMES = {"bold": "bold lines", "numbered": "numbered lines"}
#: Characters between a source line and the next headline that are no text of an article: "Photo: …", "Share this".
AFTERWORD = 150
#: Words that an article without a source line has after the last one with it; fewer are a footer ("Share this").
FEWEST = 12
#: A number of things, unless it is the last word ("Notes 3").
_LISTICLE = re.compile(
    r"(?<!\d)(?P<many>\d{1,3})(?![\d.:,])(?!\s*$)(?!\s*(?:january|february|march|april|may|june|july))", re.I
)


@dataclass(frozen=True)
class ArticleStarts:
    """`indexes` holds the index of each part that begins an article, none if it is not a digest; `reason` says why."""

    indexes: tuple[int, ...]
    reason: str
    #: The articles' first lines are their headlines, though nothing marks them; or their first bold words are.
    short: bool = False
    bold_lead: bool = False
    #: Each article ends with its source line: what follows the last one is none.
    closing: bool = False


def find_article_starts(parts: Sequence[Part], post: Post, mode: str) -> ArticleStarts:
    """Where articles begin in an entry.

    `mode` auto asks for proof; always takes any headings, bold lines or rules; anything else is the feed's selector, whose
    matches are marked.
    """
    if mode not in ("auto", "always"):
        at = tuple(index for index, part in enumerate(parts) if isinstance(part, Block) and part.kind == "start")
        found = f"{len(at)} place{'' if len(at) == 1 else 's'}"
        if len(at) < 2:
            return ArticleStarts((), f"'{mode}' is found in {found}, and two are needed")
        return ArticleStarts(at, f"'{mode}' is found in {found}", short=True)
    found_starts = _by_sources(parts, post)
    if not found_starts.indexes:
        found_starts = _by_links(parts, post) or found_starts
    return found_starts if found_starts.indexes or mode == "auto" else _forced(parts)


def _by_sources(parts: Sequence[Part], post: Post) -> ArticleStarts:
    """Several source lines, and a headline or a rule for each; captions of pictures and charts are none."""
    lines = [(index, part) for index, part in enumerate(parts) if isinstance(part, SourceLine) and not part.caption]
    ends = [index for index, line in lines if line.is_certain]
    # without dates and URLs three are needed, and every one of them at the end of an article with a headline
    unsure = len(ends) < 2 < len(lines)
    if unsure:
        ends = [index for index, _ in lines]
    if len(ends) < 2:
        return ArticleStarts((), "it has no more than one source line with a date or URL")
    regions = [range(begin, end) for begin, end in zip((0, *(end + 1 for end in ends)), ends, strict=False)]
    counts = Counter(kind for region in regions for kind in {_kind(parts[index]) for index in region} - {""})
    best = max(KINDS, key=lambda kind: (counts[kind], -KINDS.index(kind)))
    if counts[best] >= (len(ends) if unsure else max(2, most(len(ends)))):
        found = _under(parts, regions, best, all_close=unsure)
    elif unsure:
        found = ArticleStarts((), "its source lines have no dates")
    else:
        found = _without_headlines(parts, regions)
    reason = _is_refuted(parts, found, ends, post) if found.indexes else ""
    return ArticleStarts((), reason) if reason else found


def _is_refuted(parts: Sequence[Part], found: ArticleStarts, ends: Sequence[int], post: Post) -> str:
    """What speaks against articles that begin at `found` and end with the source lines at `ends`; empty if nothing does."""
    lines = [part for index in ends if isinstance(part := parts[index], SourceLine)]
    behind = [end for end, line in zip(ends, lines, strict=True) if line.was_inline and _kind(parts[end - 1])]
    if len(behind) >= most(len(ends)):
        return "its sources stand in the headings themselves"
    tables = [end for end in ends if end and isinstance(part := parts[end - 1], Block) and part.kind == "table"]
    if len(tables) >= most(len(ends)):
        return "its sources are those of tables"
    heads = [part.text for index in found.indexes if _kind(part := parts[index]) and isinstance(part, Block)]
    if len(found.indexes) in _promised(post.title) and not COMPILED.search(post.title):
        return "its title promises as many things as it has parts"
    return against_sources(post, heads, lines)


def _under(parts: Sequence[Part], regions: Sequence[range], best: str, *, all_close: bool) -> ArticleStarts:
    """Articles under headlines of the kind `best`, if their source lines are at their ends or right below their headlines."""
    ends = [region.stop for region in regions]
    marked = [index for index, part in enumerate(parts) if _kind(part) == best]
    # a headline that stands below once more, with no text here, is of a table of contents
    last = {_words(parts[index]): index for index in marked}
    marked = [index for index in marked if last[_words(parts[index])] == index or _is_text(parts[index + 1])]
    reason = f"{len(ends)} source lines under {_named(best)}"
    closing = [_is_afterword(parts, end + 1, best) for end in ends[:-1]]
    if sum(closing) >= (len(closing) if all_close else most(len(closing))):
        # a heading is of the headlines' rank; a bold line further down is a heading inside an article
        at = {_first(marked, region) for region in regions}
        tails = pairwise([*(index for index in marked if index > ends[-1]), len(parts)])
        at |= {begin for begin, end in tails if sum(map(_words_of, parts[begin:end])) >= FEWEST}
        if best in HEADINGS:
            at |= {index for index in marked if index < ends[-1]}
        return ArticleStarts(tuple(sorted(at)), reason, closing=True)
    if not all_close and sum(_kind(parts[end - 1]) == best for end in ends if end) >= most(len(ends)):
        return ArticleStarts(tuple(marked), f"{reason}, right below them")
    return ArticleStarts((), f"its {len(ends)} source lines stand inside the text")


def _first(marked: Sequence[int], region: range) -> int:
    """The first headline of a region, else where it begins."""
    place = bisect_left(marked, region.start)
    return marked[place] if place < len(marked) and marked[place] < region.stop else region.start


def _without_headlines(parts: Sequence[Part], regions: Sequence[range]) -> ArticleStarts:
    count = len(regions)
    rules = [next((index for index in region if _is_rule(parts[index])), None) for region in regions]
    if all(rule is not None for rule in rules[1:]):
        first = 0 if rules[0] is None else rules[0] + 1
        at = (first, *(rule + 1 for rule in rules[1:] if rule is not None))
        return ArticleStarts(at, f"{count} source lines between rules", short=True, closing=True)
    for is_head, found in (
        (
            is_short_line,
            ArticleStarts((), f"{count} source lines, each after a short first line", short=True, closing=True),
        ),
        (
            bold_lead,
            ArticleStarts((), f"{count} source lines, each after bold first words", bold_lead=True, closing=True),
        ),
    ):
        heads = [_head(parts, region, is_head) for region in regions]
        if all(head is not None for head in heads):
            return replace(found, indexes=tuple(head for head in heads if head is not None))
    return ArticleStarts((), f"it has {count} source lines, but no headlines between them")


def _head(parts: Sequence[Part], region: range, is_head: Callable[[Block], object]) -> int | None:
    """The first part of a region after headings over several articles, if it is a head and text follows."""
    at = next((index for index in region if not _is_section(parts[index])), region.stop)
    first = parts[at] if at < region.stop else None
    if not isinstance(first, Block) or not is_head(first):
        return None
    return at if at + 1 < region.stop or not is_short_line(first) else None


def _is_afterword(parts: Sequence[Part], begin: int, best: str) -> bool:
    """True when nothing but a few words stands between a source line and the next headline."""
    size = 0
    for part in parts[begin : begin + 10]:
        if _kind(part) == best or _is_section(part):
            return True
        size += len(part.text) if isinstance(part, Block) else 0
        if size > AFTERWORD:
            return False
    return True


def _by_links(parts: Sequence[Part], post: Post) -> ArticleStarts | None:
    """Headlines that each link to a page of their own, with text below."""
    for kind in KINDS:
        at = [index for index, part in enumerate(parts) if _kind(part) == kind]
        heads = [part for index in at if isinstance(part := parts[index], Block)]
        pages = {original(heading_url(head)) for head in heads}
        if len(at) < 2 or len(pages) < len(at) or "" in pages:
            continue
        texts = all(index + 1 < len(parts) and _is_text(parts[index + 1]) for index in at)
        if texts and not _is_listicle(post.title, heads) and 2 * _size(parts[: at[0]]) <= _size(parts):
            articles = [parts[start + 1 : end] for start, end in pairwise((*at, len(parts)))]
            reason = against_links(post, heads, articles)
            return (
                ArticleStarts((), reason)
                if reason
                else ArticleStarts(tuple(at), f"{len(at)} {_named(kind)}, each linked to a page of its own")
            )
    return None


def _is_listicle(title: str, heads: Sequence[Block]) -> bool:
    """A title that promises as many things as there are headings, or headings that are names rather than headlines."""
    words = sum(length(head.text) for head in heads) / len(heads)
    return (len(heads) in _promised(title) or words < 3.5) and not NEWS.search(title)


def _promised(title: str) -> set[int]:
    """The numbers of things that a title speaks of: "7 cameras for travellers"."""
    return {int(hit["many"]) for hit in _LISTICLE.finditer(title)}


def _words_of(part: Part) -> float:
    return length(part.text) if isinstance(part, Block) else 0


def _forced(parts: Sequence[Part]) -> ArticleStarts:
    for kind in KINDS:
        at = tuple(index for index, part in enumerate(parts) if _kind(part) == kind)
        if len(at) >= 2:
            return ArticleStarts(at, f"under {_named(kind)}, as this feed is always cut")
    rules = tuple(index + 1 for index, part in enumerate(parts) if _is_rule(part))
    if rules:
        return ArticleStarts((0, *rules), "between rules, as this feed is always cut")
    ends = [index + 1 for index, part in enumerate(parts) if isinstance(part, SourceLine) and part.is_certain]
    if len(ends) >= 2:
        return ArticleStarts((0, *ends[:-1]), "after each source line, as this feed is always cut", closing=True)
    return ArticleStarts((), "nothing to cut at")


def _kind(part: Part) -> str:
    return kind_of(part) if isinstance(part, Block) else ""


def _words(part: Part) -> str:
    return comparison_key(part.text) if isinstance(part, Block) else ""


def _is_rule(part: Part) -> bool:
    return isinstance(part, Block) and part.kind == "rule"


def _is_section(part: Part) -> bool:
    return isinstance(part, Block) and part.kind in ("rule", "start", *HEADINGS)


def _is_text(part: Part) -> bool:
    return isinstance(part, Block) and part.kind != "rule" and not kind_of(part)


def _size(parts: Sequence[Part]) -> int:
    return sum(len(part.text) for part in parts if isinstance(part, Block))


def _named(kind: str) -> str:
    return _NAMES.get(kind, f"{kind} headings")
