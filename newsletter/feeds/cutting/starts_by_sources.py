"""Find articles by their source lines: several, with a headline or a rule for each."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from newsletter.feeds.citations.extract import Part, SourceLine
from newsletter.feeds.cutting.evidence import Post, against_sources, length, most, numbers_promised
from newsletter.feeds.cutting.headlines import KINDS, bold_lead, is_short_line
from newsletter.feeds.cutting.parts import (
    ArticleStarts,
    headline_key,
    headline_kind,
    is_rule,
    is_section,
    is_text,
    kind_name,
)
from newsletter.feeds.cutting.post_words import COMPILED
from newsletter.feeds.html.blocks import HEADINGS, Block

#: Characters between a source line and the next headline that are no text of an article: "Photo: …", "Share this".
AFTERWORD = 150
#: Words that an article without a source line has after the last one with it; fewer are a footer ("Share this").
FEWEST = 12


@dataclass(frozen=True)
class _Evidence:
    """The source lines of an entry. `ends` are the indexes of those that may end an article."""

    parts: Sequence[Part]
    ends: tuple[int, ...]
    #: They have dates or URLs. Without these, every one must stand at the end of an article with a headline.
    is_certain: bool

    @property
    def regions(self) -> list[range]:
        """The parts before each source line and after the one before it."""
        return [range(before + 1, end) for before, end in pairwise((-1, *self.ends))]

    def is_enough(self, count: int, total: int) -> bool:
        """True when `count` of `total` prove a digest: three of four, or all where the source lines are uncertain."""
        return count >= (most(total) if self.is_certain else total)


def by_sources(parts: Sequence[Part], post: Post) -> ArticleStarts:
    """Where the articles begin that end with source lines, or have them below their headlines."""
    evidence = _collect(parts)
    if len(evidence.ends) < 2:
        return ArticleStarts((), "at most one source line with a date or URL found")
    kind = _shared_headline_kind(evidence)
    if kind:
        starts = _under_headlines(evidence, kind)
    elif evidence.is_certain:
        starts = _without_headlines(parts, evidence.regions)
    else:
        starts = ArticleStarts((), "its source lines have no dates")
    refutation = _refutation(evidence, starts, post) if starts.indexes else ""
    return ArticleStarts((), refutation) if refutation else starts


def _collect(parts: Sequence[Part]) -> _Evidence:
    """All certain source lines; without two of them all, if there are three. Captions of pictures and charts are none."""
    lines = [(index, part) for index, part in enumerate(parts) if isinstance(part, SourceLine) and not part.caption]
    certain = tuple(index for index, line in lines if line.is_certain)
    if len(certain) < 2 < len(lines):
        return _Evidence(parts, tuple(index for index, _ in lines), is_certain=False)
    return _Evidence(parts, certain, is_certain=True)


def _shared_headline_kind(evidence: _Evidence) -> str:
    """The kind of headline that stands above enough of the source lines, of several the highest; empty if none does."""
    kinds = ({headline_kind(evidence.parts[index]) for index in region} - {""} for region in evidence.regions)
    counts = Counter(kind for region in kinds for kind in region)
    best = max(KINDS, key=lambda kind: (counts[kind], -KINDS.index(kind)))
    return best if counts[best] >= 2 and evidence.is_enough(counts[best], len(evidence.ends)) else ""


def _under_headlines(evidence: _Evidence, kind: str) -> ArticleStarts:
    """Articles under headlines of one kind, if their source lines are at their ends or right below their headlines."""
    parts, ends = evidence.parts, evidence.ends
    headlines = _headlines(parts, kind)
    reason = f"{len(ends)} source lines under {kind_name(kind)}"
    closing = sum(_is_afterword(parts, end + 1, kind) for end in ends[:-1])
    right_below = sum(headline_kind(parts[end - 1]) == kind for end in ends if end)
    if evidence.is_enough(closing, len(ends) - 1):
        return ArticleStarts(_before_source_lines(evidence, headlines, kind), reason, closing=True)
    if evidence.is_certain and right_below >= most(len(ends)):
        return ArticleStarts(tuple(headlines), f"{reason}, right below them")
    return ArticleStarts((), f"its {len(ends)} source lines stand inside the text")


def _headlines(parts: Sequence[Part], kind: str) -> list[int]:
    """The headlines of a kind but for a table of contents, where one stands without text that stands below once more."""
    indexes = [index for index, part in enumerate(parts) if headline_kind(part) == kind]
    last = {headline_key(parts[index]): index for index in indexes}
    return [index for index in indexes if last[headline_key(parts[index])] == index or is_text(parts[index + 1])]


def _before_source_lines(evidence: _Evidence, headlines: Sequence[int], kind: str) -> tuple[int, ...]:
    """The first headline above each source line, and those after the last one that have an article below.

    Of headings all count: they are of the headlines' rank. A bold line further down is a heading inside an article.
    """
    parts, last = evidence.parts, evidence.ends[-1]
    starts = {_first(headlines, region) for region in evidence.regions}
    after = pairwise([*(index for index in headlines if index > last), len(parts)])
    starts |= {begin for begin, end in after if sum(map(_words, parts[begin:end])) >= FEWEST}
    if kind in HEADINGS:
        starts |= {index for index in headlines if index < last}
    return tuple(sorted(starts))


def _first(headlines: Sequence[int], region: range) -> int:
    """The first headline of a region, else where it begins."""
    place = bisect_left(headlines, region.start)
    return headlines[place] if place < len(headlines) and headlines[place] < region.stop else region.start


def _is_afterword(parts: Sequence[Part], begin: int, kind: str) -> bool:
    """True when nothing but a few words stands between a source line and the next headline."""
    characters = 0
    for part in parts[begin : begin + 10]:
        if headline_kind(part) == kind or is_section(part):
            return True
        characters += len(part.text) if isinstance(part, Block) else 0
        if characters > AFTERWORD:
            return False
    return True


def _without_headlines(parts: Sequence[Part], regions: Sequence[range]) -> ArticleStarts:
    """Articles between rules, else those that each begin with a short line or with bold words."""
    count = len(regions)
    rules = [next((index for index in region if is_rule(parts[index])), None) for region in regions]
    if all(rule is not None for rule in rules[1:]):
        first = 0 if rules[0] is None else rules[0] + 1
        indexes = (first, *(rule + 1 for rule in rules[1:] if rule is not None))
        return ArticleStarts(indexes, f"{count} source lines between rules", short=True, closing=True)
    short = ArticleStarts((), f"{count} source lines, each after a short first line", short=True, closing=True)
    bold = ArticleStarts((), f"{count} source lines, each after bold first words", bold_lead=True, closing=True)
    for is_head, starts in ((is_short_line, short), (bold_lead, bold)):
        heads = [_head(parts, region, is_head) for region in regions]
        if all(head is not None for head in heads):
            return replace(starts, indexes=tuple(head for head in heads if head is not None))
    return ArticleStarts((), f"it has {count} source lines, but no headlines between them")


def _head(parts: Sequence[Part], region: range, is_head: Callable[[Block], object]) -> int | None:
    """The first part of a region after headings over several articles, if it is a head and text follows."""
    index = next((index for index in region if not is_section(parts[index])), region.stop)
    first = parts[index] if index < region.stop else None
    if not isinstance(first, Block) or not is_head(first):
        return None
    return index if index + 1 < region.stop or not is_short_line(first) else None


def _refutation(evidence: _Evidence, starts: ArticleStarts, post: Post) -> str:
    """What speaks against articles that begin at `starts`; empty if nothing does."""
    parts, ends = evidence.parts, evidence.ends
    lines = [part for index in ends if isinstance(part := parts[index], SourceLine)]
    inline = [end for end, line in zip(ends, lines, strict=True) if line.was_inline and headline_kind(parts[end - 1])]
    if len(inline) >= most(len(ends)):
        return "its sources are in the headings themselves"
    tables = [end for end in ends if end and isinstance(part := parts[end - 1], Block) and part.kind == "table"]
    if len(tables) >= most(len(ends)):
        return "its sources are those of tables"
    heads = [part.text for index in starts.indexes if headline_kind(part := parts[index]) and isinstance(part, Block)]
    if len(starts.indexes) in numbers_promised(post.title) and not COMPILED.search(post.title):
        return "its title promises as many things as it has parts"
    return against_sources(post, heads, lines)


def _words(part: Part) -> float:
    return length(part.text) if isinstance(part, Block) else 0
