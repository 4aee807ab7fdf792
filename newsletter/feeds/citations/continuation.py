"""Which rows below a source label belong to it: URLs, a date, more labels, and names where names are expected.

Forms that are taken whole, up to the row of dashes, where the text goes on:

    Source:                          Source: Voice of America        Source: BBC
    Voice of America, 5 May 2020     https://voa.example/1           Source: Reuters
    -----                            5 May 2020                      -----
    Voice of America (a name alone)  -----
                                     a second date                   Sources: BBC
    Source:                          a name                          Reuters, 5 May 2020
    Voice of America                                                 -----
    https://voa.example/1            Source: Voice of America        a name in another block
    -----                            Read more (a link, same block)
                                     -----                           Sources:
    Source:                          a second link                   - BBC, https://bbc.example/1
    https://voa.example/1                                            - Reuters, 5 May 2020
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from newsletter.feeds.citations.rows import CERTAIN_CAP, LINE_CAP, UNCERTAIN_CAP, Row
from newsletter.feeds.citations.source_line import Segment, segments
from newsletter.feeds.html.blocks import links
from newsletter.feeds.html.source_labels import LABEL, has_colon, is_plural


@dataclass(frozen=True)
class Context:
    """What is known when a row below a label is read: the label, and the sources so far."""

    label: Row
    #: The label is of several sources, such as `Sources:`.
    is_plural: bool
    #: Nothing stands behind the label.
    is_bare: bool
    sources: tuple[Segment, ...]

    def is_near(self, row: Row) -> bool:
        """True for a row in the label's own block."""
        return row.block == self.label.block

    def expects_name(self, row: Row) -> bool:
        """True where a publisher's name may stand."""
        return self.is_bare or (self.is_plural and self.is_near(row))

    @property
    def has_date(self) -> bool:
        """True when a source has a date."""
        return any(source.has_date for source in self.sources)

    @property
    def has_url(self) -> bool:
        """True when a source has a URL."""
        return any(source.urls for source in self.sources)


def read_below(rows: Sequence[Row], label: int, own: Sequence[Segment], *, plural: bool) -> tuple[int, list[Segment]]:
    """(index of the first row of text, sources) below the label in row `label`; `own` are the sources in that row."""
    context = Context(rows[label], is_plural=plural, is_bare=not own, sources=tuple(own))
    end = index = label + 1
    while index < len(rows):
        row = rows[index]
        if row.is_boundary or row.is_caption != context.label.is_caption:
            break
        if not row.is_opaque and not row.text.strip():
            index += 1
            continue
        after, sources = _list(rows, index, context) if row.is_opaque else (index + 1, _row(rows, index, context))
        if not sources:
            break
        context = replace(context, sources=(*context.sources, *sources))
        end = index = after
    return end, list(context.sources[len(own) :])


def _row(rows: Sequence[Row], index: int, context: Context) -> tuple[Segment, ...]:
    """The sources of one row; none when it is text again."""
    row = rows[index]
    if len(row.text) > LINE_CAP:
        return ()
    label = LABEL.match(row.text)
    if label is not None:
        return segments(row.line, label.end(), plural=is_plural(label)) if has_colon(label) else ()
    sources = segments(row.line, plural=context.is_plural)
    if not any(source.publisher for source in sources):
        return sources if not context.has_date or any(source.urls for source in sources) else ()
    if (
        context.expects_name(row)
        and not row.is_emphasized
        and row.size <= UNCERTAIN_CAP
        and (_is_known(sources) or _is_only_urls(rows, index + 1))
    ):
        return sources
    if context.is_near(row) and _is_link(row) and not context.has_url:
        return tuple(replace(source, publisher="") for source in sources)
    return ()


def _list(rows: Sequence[Row], begin: int, context: Context) -> tuple[int, tuple[Segment, ...]]:
    """(index after it, sources) of a list of which every item is a source; no sources when it is another block."""
    end = begin
    while end < len(rows) and rows[end].block == rows[begin].block:
        end += 1
    items = rows[begin:end]
    if not items[0].is_list or not (context.is_plural or context.is_bare):
        return end, ()
    if any(len(item.text) > LINE_CAP or item.size > CERTAIN_CAP for item in items):
        return end, ()
    sources = [segments(item.line) for item in items]
    return end, tuple(chain.from_iterable(sources)) if all(map(_is_known, sources)) else ()


def _is_known(sources: Sequence[Segment]) -> bool:
    return any(source.urls or source.has_date for source in sources)


def _is_only_urls(rows: Sequence[Row], index: int) -> bool:
    if index >= len(rows) or rows[index].is_opaque or not rows[index].text:
        return False
    sources = segments(rows[index].line)
    return bool(sources) and all(source.urls and not source.publisher for source in sources)


def _is_link(row: Row) -> bool:
    spans = list(links(row.line))
    return len(spans) == 1 and spans[0][1] - spans[0][0] >= len(row.text)
