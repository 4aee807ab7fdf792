"""A gathering in, planned mails out: owed, grouped by content, worded once per content, planned in one transaction a chunk."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog
from django.db import IntegrityError, transaction

from newsletter.editions.owed import CHUNK, Owed, chunk_end, owed
from newsletter.editions.pieces import Explaining, Shelf, shelf
from newsletter.editions.render import Block, Wording
from newsletter.editions.select import Content, content, stories
from newsletter.models import Cadence, Edition, EditionBody, Gathering, Lane
from newsletter.vault import Vault

log = structlog.get_logger()

#: A chunk is computed again when another composer gave one of its items first; each time fewer can be left.
TRIES = 5


class Plan(Protocol):
    """Delivery's `plan`, with its carrier chosen; `shares` holds (edition id, subscriber ids, why parked or None)."""

    def __call__(
        self,
        *,
        occasion_id: int,
        lane: Lane,
        shares: Sequence[tuple[int, Sequence[int], str | None]],
        given: Sequence[tuple[int, int, int]],
        now: datetime,
    ) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Composer:
    """What composing needs besides the rows."""

    wording: Wording
    explaining: Explaining
    vault: Vault = field(repr=False)
    plan: Plan


@dataclass(frozen=True)
class Draft:
    """One edition before it is stored: its words, or why they failed."""

    key: bytes
    look_id: int
    #: What it tells; a notice tells its kind.
    told: Content | str
    words: str | None = field(repr=False)
    failed: str | None = None


def compose(
    gathering_id: int, composer: Composer, *, clock: Callable[[], datetime], chunk: int = CHUNK
) -> tuple[int, ...]:
    """Compose and plan a gathering to its end; returns the ids of the batches planned. Repeatable, by several workers at once.

    Raises:
        IntegrityError: a chunk met other composers `TRIES` times; the gathering stays open and is taken up again.
    """
    batches: list[int] = []
    while True:
        gathering = Gathering.objects.select_related("rhythm", "occasion").get(id=gathering_id)
        if gathering.composed_at is not None:
            return tuple(batches)
        now = clock()
        lo = gathering.composed_upto
        hi = chunk_end(gathering, lo, chunk)
        if hi is None:
            Gathering.objects.filter(id=gathering_id, composed_upto=lo, composed_at=None).update(composed_at=now)
            log.info("composed", gathering_id=gathering_id, batches=len(batches))
            continue
        batches.extend(_chunk(gathering, lo, hi, composer, now))


def _chunk(gathering: Gathering, lo: int, hi: int, composer: Composer, now: datetime) -> tuple[int, ...]:
    for tries_left in reversed(range(TRIES)):
        people = owed(gathering, lo=lo, hi=hi, now=now)
        stock = shelf({number for person in people for number in person.match_ids}, composer.explaining)
        drafts = _drafts(gathering, people, stock, composer)
        try:
            with transaction.atomic():
                if not Gathering.objects.filter(id=gathering.id, composed_upto=lo).update(composed_upto=hi):
                    return ()
                return _plan(gathering, drafts, composer, now)
        except IntegrityError:
            if not tries_left:
                raise
    return ()


def _drafts(
    gathering: Gathering, people: Sequence[Owed], stock: Shelf, composer: Composer
) -> list[tuple[Draft, list[int]]]:
    """Everybody who is owed the same, in the same look, with what they get worded once."""
    by_matches: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
    for person in people:
        by_matches[person.look_id, person.match_ids].append(person.subscriber_id)
    groups: dict[tuple[int, Content], list[int]] = defaultdict(list)
    for (look_id, match_ids), subscriber_ids in by_matches.items():
        groups[look_id, content(match_ids, stock.hits)].extend(subscriber_ids)
    bench = _Bench(gathering, stock, composer.wording)
    return [(bench.draft(look_id, told), sorted(everybody)) for (look_id, told), everybody in groups.items()]


class _Bench:
    """Words editions; each block is rendered once, whoever shares it."""

    def __init__(self, gathering: Gathering, stock: Shelf, wording: Wording) -> None:
        self._kind = gathering.occasion.kind
        self._cadence = Cadence(gathering.rhythm.cadence if gathering.rhythm else Cadence.IMMEDIATE).name.lower()
        self._stock = stock
        self._wording = wording
        self._blocks: dict[tuple[int, Content], Block] = {}

    def draft(self, look_id: int, told: Content) -> Draft:
        key = edition_key(self._kind, self._cadence, look_id, self._wording.revision, told)
        try:
            look = self._stock.looks[look_id]
            blocks = [self._block(look_id, place) for place in stories(told, self._stock.story_of)]
            words = self._wording.letter(self._kind, look, blocks, cadence=self._cadence)
        except Exception as error:  # noqa: BLE001 - one edition that cannot be worded must not stop the others
            log.error("not_worded", items=[item for item, _, _ in told], error=type(error).__name__)
            return Draft(key, look_id, told, None, f"could not be worded ({type(error).__name__})")
        return Draft(key, look_id, told, as_body(words.subject, words.text, words.html))

    def _block(self, look_id: int, place: Content) -> Block:
        if (look_id, place) not in self._blocks:
            pieces = [self._stock.pieces[item, version] for item, version, _ in place]
            self._blocks[look_id, place] = self._wording.block(
                pieces, self._stock.reasons(place), self._stock.highlights(place), self._stock.looks[look_id]
            )
        return self._blocks[look_id, place]


def edition_key(kind: str, cadence: str, look_id: int, revision: str, told: object) -> bytes:
    """SHA-256 over all that makes an edition what it is: equal for everybody who gets the same."""
    return hashlib.sha256(json.dumps([kind, cadence, look_id, revision, told]).encode()).digest()


def as_body(subject: str, text: str, html: str) -> str:
    """The words of an edition as they are sealed into its body."""
    return json.dumps({"subject": subject, "text": text, "html": html}, ensure_ascii=False)


def _plan(
    gathering: Gathering, drafts: Sequence[tuple[Draft, list[int]]], composer: Composer, now: datetime
) -> tuple[int, ...]:
    ids = store_editions([draft for draft, _ in drafts], gathering.occasion.kind, composer.vault, now)
    given = [
        (item, subscriber, version)
        for draft, people in drafts
        if not isinstance(draft.told, str)
        for item, version, _ in draft.told
        for subscriber in people
    ]
    return composer.plan(
        occasion_id=gathering.occasion_id,
        lane=Lane.DIGEST if gathering.rhythm else Lane.ALERT,
        shares=[(ids[draft.key], people, draft.failed) for draft, people in drafts],
        given=given,
        now=now,
    )


def store_editions(drafts: Sequence[Draft], kind: str, vault: Vault, now: datetime) -> Mapping[bytes, int]:
    """Store editions and their sealed bodies that are not there yet; returns key → id."""
    keys = {draft.key: draft for draft in drafts}
    known = {bytes(key): number for key, number in Edition.objects.filter(key__in=list(keys)).values_list("key", "id")}
    made = Edition.objects.bulk_create(
        Edition(
            key=key, kind=kind, look_id=draft.look_id, content=draft.told, parked_reason=draft.failed, created_at=now
        )
        for key, draft in keys.items()
        if key not in known
    )
    ids = known | {bytes(edition.key): edition.id for edition in made}
    with_body = set(EditionBody.objects.filter(edition_id__in=ids.values()).values_list("edition_id", flat=True))
    EditionBody.objects.bulk_create(
        _body(ids[key], key, draft.words, vault, now)
        for key, draft in keys.items()
        if draft.words is not None and ids[key] not in with_body
    )
    return ids


def _body(edition_id: int, key: bytes, words: str, vault: Vault, now: datetime) -> EditionBody:
    key_id, cipher = vault.seal(words, handle=key, column="body")
    return EditionBody(edition_id=edition_id, key_id=key_id, cipher=cipher, made_at=now)
