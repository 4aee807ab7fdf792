"""A gathering in, planned mails out: owed, grouped by content, worded once per content, planned in one transaction a chunk."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from django.db import IntegrityError, transaction

from newsletter.editions import left_over
from newsletter.editions.content import Content, content, stories
from newsletter.editions.load_content import Explaining, Shelf, shelf
from newsletter.editions.owed import CHUNK, FIRST, SECOND, Owed, audience, chunk_end, owed
from newsletter.editions.rendering.renderer import Block, Wording
from newsletter.editions.rendering.size_limit import WHOLE, Length, fit
from newsletter.lib.crypto import Vault
from newsletter.models import Cadence, Edition, EditionBody, Gathering, Lane

log = structlog.get_logger()

#: An edition whose body is younger is not worded again: its key is a hash of all that it says.
WORDED = timedelta(days=1)
#: Between two mails of one cadence.
PERIOD = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
#: Editions worded in one transaction at most: all their words are in memory at once. Digests are nearly all different.
EDITIONS = 1_000
#: A chunk is computed again when another composer gave one of its items first; each time fewer can be left.
TRIES = 5


class Plan(Protocol):
    """Delivery's `plan`, with its carrier chosen; `shares` holds (edition id, subscriber ids, why parked or None).

    `given` holds (item id, item version, ids of the people who get it). `audience` is about how many people the occasion
    goes to: this call may be a part of them.
    """

    def __call__(
        self,
        *,
        occasion_id: int,
        lane: Lane,
        shares: Sequence[tuple[int, Sequence[int], str | None]],
        given: Sequence[tuple[int, int, Sequence[int]]],
        audience: int,
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
    """One edition before it is stored: its words, or why they failed; neither where it is stored and worded already."""

    key: bytes
    look_id: int
    #: What it tells; a notice tells its kind.
    told: Content | str
    words: str | None = field(repr=False)
    failed: str | None = None
    #: Items that did not fit, and stay owed.
    left: int = 0


def _nobody_waits(_batch_ids: Sequence[int]) -> None:
    pass


def compose(
    gathering_id: int,
    composer: Composer,
    *,
    clock: Callable[[], datetime],
    chunk: int = CHUNK,
    planned: Callable[[Sequence[int]], None] = _nobody_waits,
) -> tuple[int, ...]:
    """Compose and plan a gathering to its end; returns the ids of the batches planned. Repeatable, by several workers at once.

    `planned` hears of each chunk's batches once they are committed: they may be sent while the next chunk is composed.

    Raises:
        IntegrityError: a chunk met other composers `TRIES` times; the gathering stays open and is taken up again.
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
        made = _chunk(gathering, lo, hi, composer, now, most=EDITIONS if size > 1 else None)
        size = max(1, size // 4) if made is None else min(size * 2, chunk)
        if made:
            planned(made)
            batches.extend(made)


def _chunk(
    gathering: Gathering, lo: int, hi: int, composer: Composer, now: datetime, *, most: int | None
) -> tuple[int, ...] | None:
    """Plan what the people in (lo, hi] are owed; None, and nothing done, if more than `most` editions had to be worded."""
    for tries_left in reversed(range(TRIES)):
        groups = owed(gathering, lo=lo, hi=hi, now=now)
        stock = shelf({number for group in groups for number in group.match_ids}, composer.explaining)
        bench = _Bench(gathering, stock, composer.wording)
        shares = _shares(groups, stock, bench)
        worded = _worded(shares, now)
        if most is not None and len(shares) - len(worded) > most:
            return None
        drafts = [
            (bench.stored(key, *share.what) if key in worded else bench.draft(key, *share.what), sorted(share.people))
            for key, share in shares.items()
        ]
        people = audience(gathering, sum(len(everybody) for _, everybody in drafts), lo=lo, hi=hi)
        try:
            with transaction.atomic():
                if not Gathering.objects.filter(id=gathering.id, composed_upto=lo).update(composed_upto=hi):
                    return ()
                return _plan(gathering, drafts, composer, people, now)
        except IntegrityError:
            if not tries_left:
                raise
    return ()


@dataclass(frozen=True)
class _Fitted:
    """What fits into one mail: its content, how long each story is shown, and the number of items left for the next one."""

    told: Content
    lengths: tuple[Length, ...]
    left: int = 0


@dataclass(frozen=True)
class _Share:
    """A look and a content that fits, and everybody who gets it."""

    what: tuple[int, _Fitted]
    people: list[int]


def _shares(groups: Sequence[Owed], stock: Shelf, bench: "_Bench") -> dict[bytes, _Share]:
    """Everybody who is told the same, in the same look, by the edition's key."""
    people: dict[tuple[int, Content], list[int]] = defaultdict(list)
    for group in groups:
        people[group.look_id, content(group.match_ids, stock.hits, bench.late)].extend(group.subscriber_ids)
    shares: dict[bytes, _Share] = {}
    for (look_id, told), everybody in people.items():
        fitted = bench.fitted(look_id, told)
        share = shares.setdefault(bench.key(look_id, fitted), _Share((look_id, fitted), []))
        share.people.extend(everybody)
    return shares


def _worded(keys: Iterable[bytes], now: datetime) -> set[bytes]:
    """Those whose words are stored, and stay so for long enough to be mailed."""
    fresh = EditionBody.objects.filter(edition__key__in=list(keys), made_at__gt=now - WORDED)
    return {bytes(key) for key in fresh.values_list("edition__key", flat=True)}


class _Bench:
    """Words editions; each block is rendered once, whoever shares it."""

    def __init__(self, gathering: Gathering, stock: Shelf, wording: Wording) -> None:
        self._kind = gathering.occasion.kind
        self._cadence = Cadence(gathering.rhythm.cadence if gathering.rhythm else Cadence.IMMEDIATE).name.lower()
        #: What was owed by then did not fit into the mail before this one; None for an alert, which has only what is fresh.
        self.late = gathering.cut_at - PERIOD[self._cadence] if gathering.rhythm else None
        self._stock = stock
        self._wording = wording
        self._blocks: dict[tuple[int, Content, Length], Block] = {}

    def fitted(self, look_id: int, told: Content) -> _Fitted:
        """As much of `told` as fits into one mail of bounded size."""
        places = stories(told, self._stock.story_of)
        whole = _Fitted(told, (WHOLE,) * len(places))

        def title(index: int) -> str:
            return self._block(look_id, places[index], WHOLE).title

        def size(index: int, length: Length) -> int:
            return self._block(look_id, places[index], length).size

        try:
            look = self._stock.looks[look_id]
            room = self._wording.room(self._kind, look, len(places), title, cadence=self._cadence)
            lengths = fit(len(places), size, room)
        except Exception:  # noqa: BLE001 - `draft` meets it again, logs it and parks the edition
            return whole
        kept = tuple(item for place in places[: len(lengths)] for item in place)
        return _Fitted(kept, lengths, len(told) - len(kept))

    def key(self, look_id: int, fitted: _Fitted) -> bytes:
        told = [fitted.told, fitted.left] if fitted.left else fitted.told
        return edition_key(self._kind, self._cadence, look_id, self._wording.revision, told)

    def stored(self, key: bytes, look_id: int, fitted: _Fitted) -> Draft:
        """An edition whose words are stored already."""
        return Draft(key, look_id, fitted.told, None, left=fitted.left)

    def draft(self, key: bytes, look_id: int, fitted: _Fitted) -> Draft:
        told = fitted.told
        try:
            look = self._stock.looks[look_id]
            places = zip(stories(told, self._stock.story_of), fitted.lengths, strict=True)
            blocks = [self._block(look_id, place, length) for place, length in places]
            words = self._wording.letter(self._kind, look, blocks, cadence=self._cadence, left=fitted.left)
        except Exception as error:  # noqa: BLE001 - one edition that cannot be worded must not stop the others
            log.error("not_worded", items=[item for item, _, _ in told], error=type(error).__name__)
            return Draft(key, look_id, told, None, f"could not be worded ({type(error).__name__})")
        return Draft(key, look_id, told, as_body(words.subject, words.text, words.html), left=fitted.left)

    def _block(self, look_id: int, place: Content, length: Length) -> Block:
        if (look_id, place, length) not in self._blocks:
            pieces = [self._stock.pieces[item, version] for item, version, _ in place]
            self._blocks[look_id, place, length] = self._wording.block(
                pieces, self._stock.reasons(place), self._stock.highlights(place), self._stock.looks[look_id], length
            )
        return self._blocks[look_id, place, length]


def edition_key(kind: str, cadence: str, look_id: int, revision: str, told: object) -> bytes:
    """SHA-256 over all that makes an edition what it is: equal for everybody who gets the same."""
    return hashlib.sha256(json.dumps([kind, cadence, look_id, revision, told]).encode()).digest()


def as_body(subject: str, text: str, html: str) -> str:
    """The words of an edition as they are sealed into its body."""
    return json.dumps({"subject": subject, "text": text, "html": html}, ensure_ascii=False)


def _plan(
    gathering: Gathering, drafts: Sequence[tuple[Draft, list[int]]], composer: Composer, people: int, now: datetime
) -> tuple[int, ...]:
    ids = store_editions([draft for draft, _ in drafts], gathering.occasion.kind, composer.vault, now)
    given: dict[tuple[int, int], list[int]] = defaultdict(list)
    for draft, everybody in drafts:
        for item, version, _ in () if isinstance(draft.told, str) else draft.told:
            given[item, version].extend(everybody)
    left_over.remember([person for draft, everybody in drafts if draft.left for person in everybody], now=now)
    return composer.plan(
        occasion_id=gathering.occasion_id,
        lane=Lane.DIGEST if gathering.rhythm else Lane.ALERT,
        shares=[(ids[draft.key], everybody, draft.failed) for draft, everybody in drafts],
        given=[(item, version, everybody) for (item, version), everybody in given.items()],
        audience=people,
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
    fresh = EditionBody.objects.filter(edition_id__in=ids.values(), made_at__gt=now - WORDED)
    with_body = set(fresh.values_list("edition_id", flat=True))
    EditionBody.objects.bulk_create(
        (
            _body(ids[key], key, draft.words, vault, now)
            for key, draft in sorted(keys.items())  # in one order, whoever composes
            if draft.words is not None and ids[key] not in with_body
        ),
        update_conflicts=True,  # an older one is soon pruned: it must last for these mails too
        unique_fields=["edition"],
        update_fields=["key_id", "cipher", "made_at"],
    )
    return ids


def _body(edition_id: int, key: bytes, words: str, vault: Vault, now: datetime) -> EditionBody:
    key_id, cipher = vault.encrypt(words, handle=key, column="body")
    return EditionBody(edition_id=edition_id, key_id=key_id, cipher=cipher, made_at=now)
