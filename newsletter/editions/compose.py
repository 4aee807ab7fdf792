"""Compose a gathering: find who is owed what, render each distinct edition once, and plan its deliveries.

It goes chunk by chunk over the subscribers, each in one transaction.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Case, When

from newsletter.editions import left_over
from newsletter.editions.content import Content, select_content
from newsletter.editions.edition_store import EditionDraft, store_editions, with_fresh_body
from newsletter.editions.edition_writer import EditionWriter, FittedContent
from newsletter.editions.load_content import EditionContent, Explainer, load_content
from newsletter.editions.owed import CHUNK, FIRST, SECOND, Owed, audience, chunk_end, owed
from newsletter.editions.rendering.renderer import Renderer
from newsletter.lib.crypto import Vault
from newsletter.models import Gathering, Lane, Occasion

log = structlog.get_logger()

#: Editions rendered in one transaction at most: all their bodies are in memory at once. Digests are nearly all different.
MOST_EDITIONS = 1_000
#: A chunk is computed again when another composer gave one of its items first. Each time fewer can be left.
TRIES = 5


class PlanDeliveries(Protocol):
    """Delivery's `plan`, with its provider chosen."""

    def __call__(
        self,
        *,
        occasion_id: int,
        lane: Lane,
        #: (edition id, subscriber ids, why parked or None)
        shares: Sequence[tuple[int, Sequence[int], str | None]],
        #: (item id, item version, ids of the subscribers who get it)
        items_given: Sequence[tuple[int, int, Sequence[int]]],
        #: About how many people the occasion goes to; this call may be a part of them.
        audience: int,
        now: datetime,
    ) -> tuple[int, ...]:
        """Plan these deliveries; returns the ids of the batches."""


@dataclass(frozen=True)
class Composer:
    """What composing needs besides the rows."""

    renderer: Renderer
    explainer: Explainer
    vault: Vault = field(repr=False)
    plan: PlanDeliveries


@dataclass(frozen=True)
class _Share:
    """A look and content that fits into a mail, and everybody who gets it."""

    look_id: int
    fitted: FittedContent
    subscriber_ids: list[int]


def _no_listener(_batch_ids: Sequence[int]) -> None:
    pass


def compose(
    gathering_id: int,
    composer: Composer,
    *,
    clock: Callable[[], datetime],
    chunk: int = CHUNK,
    planned: Callable[[Sequence[int]], None] = _no_listener,
) -> tuple[int, ...]:
    """Compose and plan a gathering to its end; returns the ids of the batches planned. Repeatable, by several workers at once.

    `planned` is called with each chunk's batches once they are committed: they may be sent while the next chunk is composed.

    Raises:
        IntegrityError: a chunk met other composers `TRIES` times. The gathering stays open and is taken up again.
    """
    batches: list[int] = []
    size = min(chunk, SECOND // 2)
    while True:
        gathering = Gathering.objects.select_related("rhythm", "occasion").get(id=gathering_id)
        if gathering.composed_at is not None:
            return tuple(batches)
        now = clock()
        lo = gathering.composed_upto
        hi = chunk_end(gathering, lo, size if lo or gathering.rhythm else min(size, FIRST))
        if hi is None:
            Gathering.objects.filter(id=gathering_id, composed_upto=lo).update(composed_at=now)
            log.info("composed", gathering_id=gathering_id, batches=len(batches))
            continue
        chunk_batches = _compose_chunk(gathering, lo, hi, composer, now, most=MOST_EDITIONS if size > 1 else None)
        size = max(1, size // 4) if chunk_batches is None else min(size * 2, chunk)
        if chunk_batches:
            planned(chunk_batches)
            batches.extend(chunk_batches)


def _compose_chunk(
    gathering: Gathering, lo: int, hi: int, composer: Composer, now: datetime, *, most: int | None
) -> tuple[int, ...] | None:
    """Plan what the subscribers in (lo, hi] are owed. None, and nothing done, if more than `most` editions had to be rendered."""
    for tries_left in reversed(range(TRIES)):
        groups = owed(gathering, lo=lo, hi=hi, now=now)
        match_ids = {match_id for group in groups for match_id in group.match_ids}
        content = load_content(match_ids, composer.explainer)
        writer = EditionWriter(gathering, content, composer.renderer)
        shares = _shares(groups, content, writer)
        stored = with_fresh_body(shares, now)
        if most is not None and len(shares) - len(stored) > most:
            return None
        drafts = [
            (
                (writer.stored_draft if key in stored else writer.draft)(key, share.look_id, share.fitted),
                sorted(share.subscriber_ids),
            )
            for key, share in shares.items()
        ]
        people = audience(gathering, sum(len(subscriber_ids) for _, subscriber_ids in drafts), lo=lo, hi=hi)
        try:
            with transaction.atomic():
                if not Gathering.objects.filter(id=gathering.id, composed_upto=lo).update(composed_upto=hi):
                    return ()
                _remember_topic(gathering.occasion_id, [draft for draft, _ in drafts])
                return _plan(gathering, drafts, composer, people, now)
        except IntegrityError:
            if not tries_left:
                raise
    return ()


def _shares(groups: Sequence[Owed], content: EditionContent, writer: EditionWriter) -> dict[bytes, _Share]:
    """Edition key → the subscribers who get the same content in the same look."""
    same: dict[tuple[int, Content], list[int]] = defaultdict(list)
    for group in groups:
        same[group.look_id, select_content(group.match_ids, content.matches, writer.late)].extend(group.subscriber_ids)
    shares: dict[bytes, _Share] = {}
    for (look_id, selected), subscriber_ids in same.items():
        fitted = writer.fit(look_id, selected)
        share = shares.setdefault(writer.key(look_id, fitted), _Share(look_id, fitted, []))
        share.subscriber_ids.extend(subscriber_ids)
    return shares


def _remember_topic(occasion_id: int, drafts: Sequence[EditionDraft]) -> None:
    """Note the one topic that all mails of an occasion are for, or that there are several.

    Counts of an occasion with one topic say how many follow it, and are shown accordingly. First in the transaction, and only
    when it changes: composers of one occasion wait for each other here.
    """
    topics = {
        topic_id
        for draft in drafts
        if isinstance(draft.content, tuple)
        for _, _, ids in draft.content
        for topic_id in ids
    }
    if topics:
        topic_id = topics.pop() if len(topics) == 1 else 0
        other = Occasion.objects.filter(id=occasion_id).exclude(only_topic_id__in=[0, topic_id])
        other.update(only_topic_id=Case(When(only_topic_id=None, then=topic_id), default=0))


def _plan(
    gathering: Gathering,
    drafts: Sequence[tuple[EditionDraft, list[int]]],
    composer: Composer,
    people: int,
    now: datetime,
) -> tuple[int, ...]:
    ids = store_editions([draft for draft, _ in drafts], gathering.occasion.kind, composer.vault, now)
    receivers: dict[tuple[int, int], list[int]] = defaultdict(list)
    for draft, subscriber_ids in drafts:
        for item_id, version, _ in draft.content if isinstance(draft.content, tuple) else ():
            receivers[item_id, version].extend(subscriber_ids)
    waiting = [subscriber_id for draft, subscriber_ids in drafts if draft.left for subscriber_id in subscriber_ids]
    left_over.remember(waiting, now=now)
    return composer.plan(
        occasion_id=gathering.occasion_id,
        lane=Lane.DIGEST if gathering.rhythm else Lane.ALERT,
        shares=[(ids[draft.key], subscriber_ids, draft.failure) for draft, subscriber_ids in drafts],
        items_given=[(item_id, version, subscriber_ids) for (item_id, version), subscriber_ids in receivers.items()],
        audience=people,
        now=now,
    )
