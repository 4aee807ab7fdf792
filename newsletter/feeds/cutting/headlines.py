"""Recognise headlines, compare them, and make one for a text without any."""

import re
import unicodedata
from dataclasses import replace
from itertools import groupby, takewhile

from newsletter.feeds.html.blocks import HEADINGS, Block, Run, is_bold, line_text, links

#: In order of rank; "bold" is a paragraph of one bold line, "numbered" one of a short line with its number.
KINDS = (*HEADINGS, "bold", "numbered")
LONGEST, SHORT = 200, 150
#: Characters of a headline that is taken from the text.
MADE = 100
_NUMBER = re.compile(
    r"^\s*(?:[(（]?\d{1,3}[)）]|\d{1,3}(?:[.:](?=\s)|[、．])|[一二三四五六七八九十]{1,3}[、．.]|[•▪■◆●*]\s)\s*"
)
_FULL_STOP = re.compile(r"[.。;；:：,，]$")
_SENTENCE = re.compile(r"(?<=[.!?])\s|(?<=[。！？؟۔])")


def kind_of(block: Block) -> str:
    """h1 … h6, bold or numbered for a headline, empty for anything else."""
    text = block.text.strip()
    if not text or len(text) > LONGEST:
        return ""
    if block.kind in HEADINGS:
        return block.kind
    if block.kind != "p" or len(block.lines) != 1 or _FULL_STOP.search(text):
        return ""
    if is_bold(block.lines[0]):
        return "bold"
    return "numbered" if len(text) <= SHORT and strip_number(text) != " ".join(text.split()) else ""


def is_short_line(block: Block) -> bool:
    """True for a paragraph of one line that reads like a headline: short, no full stop."""
    text = block.text.strip()
    return block.kind == "p" and len(block.lines) == 1 and 0 < len(text) <= SHORT and not _FULL_STOP.search(text)


def bold_lead(block: Block) -> str:
    """The bold words that a paragraph begins with, as a headline has them; empty when it does not, or they are too many."""
    line = block.lines[0] if block.kind == "p" and block.lines else ()
    words = "".join(run.text for run in takewhile(_is_bold_run, line)).strip()
    return strip_number(words).rstrip(" .:。：—–-") if 0 < len(words) <= SHORT else ""


def _is_bold_run(run: Run) -> bool:
    return "<b>" in run.marks or "<strong>" in run.marks or not run.text.strip()


def split_paragraph(block: Block) -> list[Block]:
    """A paragraph at its blank lines as several, and with a bold first line as one of its own; other blocks as they are."""
    if block.kind != "p" or len(block.lines) < 2:
        return [block]
    out: list[Block] = []
    for has_words, lines in groupby(block.lines, key=bool):
        if has_words:
            part = replace(block, lines=tuple(lines))
            first = replace(block, lines=part.lines[:1])
            split = len(part.lines) > 1 and kind_of(first) == "bold"
            out += [first, replace(block, lines=part.lines[1:])] if split else [part]
    return out


def heading_url(block: Block) -> str:
    """The URL that a whole headline links to; empty without one."""
    if len(block.lines) != 1:
        return ""
    spans = list(links(block.lines[0]))
    text = strip_number(line_text(block.lines[0]))
    return spans[0][2] if len(spans) == 1 and spans[0][1] - spans[0][0] >= len(text) else ""


def strip_number(text: str) -> str:
    """A headline without its place in the row ("3. "): it would change with every article above it."""
    plain = " ".join(text.split())
    return _NUMBER.sub("", plain) or plain


def comparison_key(text: str) -> str:
    """A headline as it is compared: letters and digits only, in any case, width and numbering."""
    folded = unicodedata.normalize("NFKC", strip_number(text)).casefold()
    return "".join(char for char in folded if char.isalnum() or unicodedata.combining(char)) or folded.strip()


def headline_from_text(text: str) -> str:
    """A headline for a text without one: the first sentence of its first block, cut at a word."""
    block = text.strip().partition("\n\n")[0]
    first = _SENTENCE.split(" ".join(block.split()), maxsplit=1)[0].strip()
    if len(first) <= MADE:
        return first
    cut = first[: MADE - 1]
    return (cut.rpartition(" ")[0] if " " in cut[MADE // 2 :] else cut).rstrip(" ,;:") + "…"
