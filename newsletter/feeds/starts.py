"""Where the articles of a compiled digest begin, and how we know that it is one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.feeds.blocks import Block
from newsletter.feeds.citation import Part, SourceLine
from newsletter.feeds.headlines import KINDS, is_short_line, kind_of, linked_to
from newsletter.feeds.originals import original

_NAMES = {"bold": "bold lines"}


@dataclass(frozen=True)
class Starts:
    """`at` holds the index of each part that begins an article, none if it is not a digest; `reason` says why."""

    at: tuple[int, ...]
    reason: str
    #: The articles' first lines are their headlines, though nothing marks them.
    short: bool = False


def is_end(part: Part) -> bool:
    """True for a source line that is surely one."""
    return isinstance(part, SourceLine) and part.sure


def find_starts(parts: Sequence[Part], *, always: bool) -> Starts:
    """Where articles begin. Without proof there are none, unless `always`: then any headings, bold lines or rules do."""
    found = _by_sources(parts)
    if not found.at:
        found = _by_links(parts) or found
    if found.at or not always:
        return found
    return _anyhow(parts)


def _by_sources(parts: Sequence[Part]) -> Starts:
    """Several source lines, and a headline or a rule for each."""
    ends = [index for index, part in enumerate(parts) if is_end(part)]
    if len(ends) < 2:
        return Starts((), "it has no more than one source line")
    regions = [range(begin, end) for begin, end in zip((0, *(end + 1 for end in ends)), ends, strict=False)]
    counts = Counter(kind for region in regions for kind in {_kind(parts[index]) for index in region} - {""})
    best = max(KINDS, key=lambda kind: (counts[kind], -KINDS.index(kind)))
    if counts[best] >= max(2, len(ends) - len(ends) // 4):
        bare = [region.start for region in regions if all(_kind(parts[index]) != best for index in region)]
        marked = [index for index, part in enumerate(parts) if _kind(part) == best]
        at = tuple(sorted({*bare, *marked}))
        return Starts(at, f"{len(ends)} source lines under {_named(best)}")
    rules = [next((index for index in region if _is_rule(parts[index])), None) for region in regions]
    if all(rule is not None for rule in rules[1:]):
        first = 0 if rules[0] is None else rules[0] + 1
        return Starts(
            (first, *(rule + 1 for rule in rules[1:] if rule is not None)), f"{len(ends)} source lines between rules"
        )
    if all(_headed(parts, region) for region in regions):
        at = tuple(region.start for region in regions)
        return Starts(at, f"{len(ends)} source lines, each after a short first line", short=True)
    return Starts((), f"it has {len(ends)} source lines, but no headlines between them")


def _by_links(parts: Sequence[Part]) -> Starts | None:
    """Headlines that each link to a page of their own, with text below."""
    for kind in KINDS:
        at = [index for index, part in enumerate(parts) if _kind(part) == kind]
        pages = {original(linked_to(part)) for index in at if isinstance(part := parts[index], Block)}
        texts = all(index + 1 < len(parts) and _is_text(parts[index + 1]) for index in at)
        if len(at) >= 2 and len(pages) == len(at) and "" not in pages and texts:
            return Starts(tuple(at), f"{len(at)} {_named(kind)}, each linked to a page of its own")
    return None


def _anyhow(parts: Sequence[Part]) -> Starts:
    for kind in KINDS:
        at = tuple(index for index, part in enumerate(parts) if _kind(part) == kind)
        if len(at) >= 2:
            return Starts(at, f"under {_named(kind)}, as this feed is always cut")
    rules = tuple(index + 1 for index, part in enumerate(parts) if _is_rule(part))
    if rules:
        return Starts((0, *rules), "between rules, as this feed is always cut")
    ends = [index + 1 for index, part in enumerate(parts) if is_end(part)]
    if len(ends) >= 2:
        return Starts((0, *ends[:-1]), "after each source line, as this feed is always cut")
    return Starts((), "nothing to cut at")


def _headed(parts: Sequence[Part], region: range) -> bool:
    """The first part of a region is a short line, and text follows."""
    first = parts[region.start] if region else None
    return isinstance(first, Block) and is_short_line(first) and len(region) > 1


def _kind(part: Part) -> str:
    return kind_of(part) if isinstance(part, Block) else ""


def _is_rule(part: Part) -> bool:
    return isinstance(part, Block) and part.kind == "rule"


def _is_text(part: Part) -> bool:
    return isinstance(part, Block) and part.kind != "rule" and not kind_of(part)


def _named(kind: str) -> str:
    return _NAMES.get(kind, f"{kind} headings")
