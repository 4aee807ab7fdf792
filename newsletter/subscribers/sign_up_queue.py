"""The queue between public forms and what follows from them.

A form writes one sealed row, the same whatever the address; a worker decides. So neither the page, nor its status, nor
the time it takes tells whether an address is subscribed.
"""

import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import SignUpRequest
from newsletter.subscribers import ask, network_limit, notice_budget, renew, signup
from newsletter.subscribers.choices import Choices, NextDue, read, write
from newsletter.subscribers.signup import Signed
from newsletter.subscribers.tokens import Wrong

log = structlog.get_logger()
Kind = SignUpRequest.Kind

#: Requests of one kind that may be ready at once: more than a day of the site-wide budget. Of more, the newest of the
#: busiest networks go.
MOST_READY: Final = 50_000
#: Requests of all kinds, also while no worker looks: about 150 MB.
MOST_STORED: Final = 4 * MOST_READY
#: Seconds for which a process believes that there is room.
_BELIEVED: Final = 5.0
#: Turn of a request that had to wait for an address with a plus-tag: after those for addresses without one.
TAGGED: Final = 1_000_000
#: How long a request that a worker could not decide is left alone.
_PUT_OFF: Final = timedelta(minutes=10)
#: Longer than any limit makes a request wait.
KEPT: Final = timedelta(days=8)


@dataclass(frozen=True)
class SignUp:
    """Somebody typed an address and choices."""

    address: Address
    choices: Choices = field(repr=False)
    kind = Kind.SIGN_UP


@dataclass(frozen=True)
class LinkByAddress:
    """Somebody typed an address to get a link to its preferences."""

    address: Address
    kind = Kind.LINK


@dataclass(frozen=True)
class LinkByToken:
    """Somebody pressed the button of the link at the foot of a mail."""

    token: str = field(repr=False)
    kind = Kind.HOLDER


@dataclass(frozen=True)
class Renewal:
    """Somebody asked for a fresh link in place of an expired one."""

    token: str = field(repr=False)
    kind = Kind.HOLDER


Request = SignUp | LinkByAddress | LinkByToken | Renewal


def put(request: Request, *, client: network_limit.Client | None, now: datetime, vault: Vault) -> None:
    """Store a request for a worker. The same statements for every address; over a limit nothing is stored, and nobody told."""
    handle = os.urandom(16)
    key_id, cipher = vault.encrypt(_text(request), handle=handle, column="request")
    with transaction.atomic():
        turn = network_limit.count(client, request.kind, now=now, vault=vault)
        if turn is None or not _room.left():
            return
        SignUpRequest.objects.create(
            kind=request.kind, handle=handle, key_id=key_id, cipher=cipher, turn=turn, created_at=now
        )


def decide_next(kind: Kind, *, now: datetime, vault: Vault, next_due: NextDue) -> Signed | None:
    """Decide the next request of a kind; None when none is ready, or the budget of its kind is spent for now.

    A request that cannot be decided is put off, and holds up no other.
    """
    if not _ready(kind).exists():  # mostly: then nothing is locked
        return None
    with transaction.atomic():
        budget = notice_budget.lock(kind, now=now)
        if not budget.left(now):
            return None
        request = _next(kind)
        if request is None:
            return None
        try:
            with transaction.atomic():
                done = _decide(request, now=now, vault=vault, next_due=next_due)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with this one, those behind it owe nothing to it
            log.error("request_not_decided", request_id=request.id, error=type(error).__name__)
            SignUpRequest.objects.filter(id=request.id).update(waits_until=now + _PUT_OFF)
            return Signed(None)
        if done.notice_id is not None:
            budget.spend(now)
        return done


def wake(now: datetime) -> int:
    """Make requests ready whose wait is over; returns rows."""
    return SignUpRequest.objects.filter(waits_until__lte=now).update(waits_until=None)


def trim() -> int:
    """Delete what is too much in a flood: of each kind the newest requests of the busiest networks; returns rows."""
    gone = 0
    for kind in Kind:
        extra = _ready(kind).order_by("turn", "id").values_list("turn", "id")[MOST_READY : MOST_READY + 1].first()
        if extra is not None:
            turn, first = extra
            gone += _ready(kind).filter(Q(turn__gt=turn) | Q(turn=turn, id__gte=first)).delete()[0]
    return gone


def waiting() -> dict[str, int]:
    """How many requests wait, by kind."""
    return {kind.value: SignUpRequest.objects.filter(kind=kind).count() for kind in Kind}


def prune(now: datetime) -> int:
    """Delete requests that are older than any wait; returns rows."""
    return expired(now).delete()[0]


def expired(now: datetime) -> QuerySet[SignUpRequest]:
    """The rows that are kept no longer."""
    return SignUpRequest.objects.filter(created_at__lt=now - KEPT)


def _ready(kind: Kind) -> QuerySet[SignUpRequest]:
    return SignUpRequest.objects.filter(kind=kind, waits_until=None)


def _next(kind: Kind) -> SignUpRequest | None:
    found = _ready(kind).order_by("turn", "id")
    return found.select_for_update(skip_locked=db.is_postgres()).first()


def _decide(row: SignUpRequest, *, now: datetime, vault: Vault, next_due: NextDue) -> Signed:
    text = vault.decrypt(row.key_id, row.cipher, handle=bytes(row.handle), column="request")
    done = _do(_read(text), now=now, vault=vault, next_due=next_due)
    if done.wait is None:
        row.delete()
    else:
        wait = done.wait
        # one for each address: the newest, for what was typed last counts. Other addresses of the mailbox keep theirs:
        # a stranger who makes up tags must not push out what its owner asked for
        SignUpRequest.objects.filter(kind=row.kind, address=wait.address).exclude(id=row.id).delete()
        turn = row.turn if wait.plain else max(row.turn, TAGGED)
        SignUpRequest.objects.filter(id=row.id).update(waits_until=wait.until, address=wait.address, turn=turn)
    return done


def _do(request: Request, *, now: datetime, vault: Vault, next_due: NextDue) -> Signed:
    match request:
        case SignUp(address, choices):
            return signup.sign_up(address, choices, now=now, vault=vault, next_due=next_due)
        case LinkByAddress(address):
            return ask.ask_by_address(address, now=now, vault=vault)
        case LinkByToken(token):
            done = ask.ask_by_token(token, now=now, vault=vault)
        case Renewal(token):
            done = renew.renew(token, now=now, vault=vault)
    return Signed(None) if isinstance(done, Wrong) else done


def _text(request: Request) -> str:
    match request:
        case SignUp(address, choices):
            told: dict[str, str] = {"address": address.value, "choices": write(choices)}
        case LinkByAddress(address):
            told = {"address": address.value}
        case LinkByToken(token) | Renewal(token):
            told = {"token": token}
    return json.dumps({"type": type(request).__name__, **told}, separators=(",", ":"))


def _read(text: str) -> Request:
    told: dict[str, Any] = json.loads(text)
    match told:
        case {"type": "SignUp", "address": address, "choices": choices}:
            return SignUp(Address(address), read(choices))
        case {"type": "LinkByAddress", "address": address}:
            return LinkByAddress(Address(address))
        case {"type": "LinkByToken", "token": token}:
            return LinkByToken(token)
        case {"type": "Renewal", "token": token}:
            return Renewal(token)
    raise ValueError("a sign-up request of a kind that this version does not know")


class _Room:
    """Whether the table may grow, looked at every few seconds: a flood must not fill the disk while no worker runs."""

    def __init__(self) -> None:
        self._looked = float("-inf")
        self._left = True

    def left(self) -> bool:
        if time.monotonic() - self._looked > _BELIEVED:
            self._left = SignUpRequest.objects.count() < MOST_STORED
            self._looked = time.monotonic()
        return self._left


_room = _Room()
