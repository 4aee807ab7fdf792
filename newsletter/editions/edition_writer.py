"""Render the editions of a gathering: fit their content into a mail of bounded size, and render each block once."""

from dataclasses import dataclass
from datetime import UTC, timedelta

import structlog

from newsletter.editions.content import Content, group_by_story
from newsletter.editions.digest_schedule import slot_date
from newsletter.editions.edition_store import EditionDraft, body_json, edition_key
from newsletter.editions.load_content import EditionContent
from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.size_limit import WHOLE, Length, fit
from newsletter.editions.rendering.values import Dateline, RenderedBlock
from newsletter.models import Cadence, Gathering

log = structlog.get_logger()

#: Between two mails of one cadence.
PERIOD = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}


@dataclass(frozen=True)
class FittedContent:
    """What fits into one mail."""

    content: Content
    #: How long each story is shown.
    lengths: tuple[Length, ...]
    #: Number of items left for the next mail.
    left: int = 0


class EditionWriter:
    """Renders editions of one gathering. Blocks are kept, so that editions that share one share the work."""

    def __init__(self, gathering: Gathering, content: EditionContent, renderer: Renderer) -> None:
        self._kind = gathering.occasion.kind
        self._dateline = _dateline(gathering)
        #: What was owed by then did not fit into the mail before this one. None for an alert, which has fresh matches only.
        self.late = gathering.cut_at - PERIOD[self._dateline.cadence] if gathering.rhythm else None
        self._content = content
        self._renderer = renderer
        self._blocks: dict[tuple[int, Content, Length], RenderedBlock] = {}

    def fit(self, look_id: int, content: Content) -> FittedContent:
        """As much of `content` as fits into one mail."""
        stories = group_by_story(content, self._content.story_of)

        def title(index: int) -> str:
            return self._block(look_id, stories[index], WHOLE).title

        def size(index: int, length: Length) -> int:
            return self._block(look_id, stories[index], length).size

        try:
            look = self._content.looks[look_id]
            available = self._renderer.available_bytes(self._dateline, look, len(stories), title)
            lengths = fit(len(stories), size, available)
        except Exception:  # noqa: BLE001 - `draft` meets the same error, logs it and parks the edition
            return FittedContent(content, (WHOLE,) * len(stories))
        kept = tuple(item for story in stories[: len(lengths)] for item in story)
        return FittedContent(kept, lengths, len(content) - len(kept))

    def key(self, look_id: int, fitted: FittedContent) -> bytes:
        """The key of the edition with this look and content."""
        content = [fitted.content, fitted.left] if fitted.left else fitted.content
        return edition_key(self._kind, self._dateline.key, look_id, self._renderer.revision, content)

    def stored_draft(self, key: bytes, look_id: int, fitted: FittedContent) -> EditionDraft:
        """The draft of an edition whose body is stored already."""
        return EditionDraft(key, look_id, fitted.content, None, left=fitted.left)

    def draft(self, key: bytes, look_id: int, fitted: FittedContent) -> EditionDraft:
        """Render an edition; if that fails, its draft says why."""
        content = fitted.content
        try:
            look = self._content.looks[look_id]
            stories = zip(group_by_story(content, self._content.story_of), fitted.lengths, strict=True)
            blocks = [self._block(look_id, story, length) for story, length in stories]
            mail = self._renderer.render_letter(self._dateline, look, blocks, left=fitted.left)
        except Exception as error:  # noqa: BLE001 - one edition that cannot be rendered must not stop the others
            log.error("not_worded", items=[item_id for item_id, _, _ in content], error=type(error).__name__)
            return EditionDraft(key, look_id, content, None, f"could not be worded ({type(error).__name__})")
        return EditionDraft(key, look_id, content, body_json(mail.subject, mail.text, mail.html), left=fitted.left)

    def _block(self, look_id: int, story: Content, length: Length) -> RenderedBlock:
        key = (look_id, story, length)
        if key not in self._blocks:
            items = [self._content.items[item_id, version] for item_id, version, _ in story]
            reasons, spans = self._content.reasons.of(story), self._content.reasons.spans_by_item(story)
            look = self._content.looks[look_id]
            self._blocks[key] = self._renderer.render_block(items, reasons, spans, look, length)
        return self._blocks[key]


def _dateline(gathering: Gathering) -> Dateline:
    """When a gathering's mails are from: its slot's date for a digest, the minute it was closed for an alert."""
    if gathering.rhythm is None:
        closed_at = gathering.cut_at.astimezone(UTC)
        return Dateline("immediate", closed_at.date(), closed_at.time().replace(second=0, microsecond=0))
    cadence = Cadence(gathering.rhythm.cadence).name.lower()
    return Dateline(cadence, slot_date(gathering.occasion.key, gathering.rhythm.weekday))
