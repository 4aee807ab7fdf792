"""Classify the parts of an entry: a headline, a rule, a section, text."""

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.feeds.citations.extract import Part
from newsletter.feeds.cutting.headlines import comparison_key, kind_of
from newsletter.feeds.html.blocks import HEADINGS, Block

_NAMES = {"bold": "bold lines", "numbered": "numbered lines"}


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


def headline_kind(part: Part) -> str:
    """The kind of headline that a part is (see `headlines.KINDS`); empty when it is none."""
    return kind_of(part) if isinstance(part, Block) else ""


def headline_key(part: Part) -> str:
    """The words of a part as headlines are compared."""
    return comparison_key(part.text) if isinstance(part, Block) else ""


def is_rule(part: Part) -> bool:
    """True for a rule."""
    return isinstance(part, Block) and part.kind == "rule"


def is_section(part: Part) -> bool:
    """True for what separates: a rule, a heading, the start of an article."""
    return isinstance(part, Block) and part.kind in ("rule", "start", *HEADINGS)


def is_text(part: Part) -> bool:
    """True for a block that is neither rule nor headline."""
    return isinstance(part, Block) and part.kind != "rule" and not kind_of(part)


def size(parts: Iterable[Part]) -> int:
    """Characters of the blocks among `parts`."""
    return sum(len(part.text) for part in parts if isinstance(part, Block))


def kind_name(kind: str) -> str:
    """A kind of headline in words: `h3 headings`, `bold lines`."""
    return _NAMES.get(kind, f"{kind} headings")
