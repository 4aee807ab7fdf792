"""Decide what follows from a stored request: usually a notice to mail, sometimes a wait, often nothing."""

from datetime import timedelta
from typing import Final

import structlog
from django.db import transaction

from newsletter.models import SignUpRequest
from newsletter.subscribers import manage_link, sign_up
from newsletter.subscribers.form_requests.queue import lock_next, ready
from newsletter.subscribers.form_requests.values import (
    FormRequest,
    LinkByAddress,
    LinkByToken,
    Renewal,
    SignUp,
    from_json,
)
from newsletter.subscribers.limits import notice_budget
from newsletter.subscribers.sign_up import SignedUp
from newsletter.subscribers.subscribing import Subscribing
from newsletter.subscribers.tokens import InvalidToken

log = structlog.get_logger()
Kind = SignUpRequest.Kind

#: Turn of a request that had to wait for an address with a plus-tag: after those for addresses without one.
TAGGED: Final = 1_000_000
#: How long a request that a worker could not decide is left alone.
_PUT_OFF: Final = timedelta(minutes=10)


def decide_next(kind: Kind, subscribing: Subscribing) -> SignedUp | None:
    """Decide the next request of a kind; None when none is ready, or the budget of its kind is spent for now.

    A request that raises is put off, and holds up no other.
    """
    if not ready(kind).exists():  # the usual case: then nothing is locked
        return None
    now = subscribing.now
    with transaction.atomic():
        budget = notice_budget.lock(kind, now=now)
        if not budget.left(now):
            return None
        row = lock_next(kind)
        if row is None:
            return None
        try:
            with transaction.atomic():
                decided = _decide(row, subscribing)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with this request must not stop those behind it
            log.error("request_not_decided", request_id=row.id, error=type(error).__name__)
            SignUpRequest.objects.filter(id=row.id).update(waits_until=now + _PUT_OFF)
            return SignedUp(None)
        if decided.notice_id is not None:
            budget.spend(now)
        return decided


def _decide(row: SignUpRequest, subscribing: Subscribing) -> SignedUp:
    text = subscribing.vault.decrypt(row.key_id, row.cipher, handle=bytes(row.handle), column="request")
    decided = _do(from_json(text), subscribing)
    if decided.limited is None:
        row.delete()
        return decided
    limited = decided.limited
    # One request waits for each address: the newest, for what was typed last counts. Other addresses of the mailbox keep
    # theirs: a stranger who makes up tags must not push out what its owner asked for.
    SignUpRequest.objects.filter(kind=row.kind, address=limited.address).exclude(id=row.id).delete()
    turn = row.turn if limited.plain else max(row.turn, TAGGED)
    SignUpRequest.objects.filter(id=row.id).update(waits_until=limited.until, address=limited.address, turn=turn)
    return decided


def _do(request: FormRequest, subscribing: Subscribing) -> SignedUp:
    now, vault = subscribing.now, subscribing.vault
    match request:
        case SignUp(address, choices):
            return sign_up.sign_up(address, choices, subscribing)
        case LinkByAddress(address):
            return manage_link.ask_by_address(address, now=now, vault=vault)
        case LinkByToken(token):
            decided = manage_link.ask_by_token(token, now=now, vault=vault)
        case Renewal(token):
            decided = manage_link.renew(token, now=now, vault=vault)
    return SignedUp(None) if isinstance(decided, InvalidToken) else decided
