"""The retention rules of admins: accounts, and what signing in leaves behind."""

from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from newsletter.admins import keyed_answers
from newsletter.admins.sessions import LONGEST
from newsletter.lib.progress import ShouldContinue
from newsletter.lib.pruning import InPieces, Rule, Table
from newsletter.models import Admin, ApiToken, KeyedAnswer, SharedCache

#: So late an expired row may still be there: the service deletes every hour.
_LATE = timedelta(hours=1)
_TOKENS_KEPT = timedelta(days=731)


def prune_sign_ins(now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete sessions that are over, and failed sign-ins that no longer count."""
    Session.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.filter(created_at__lt=now - LONGEST).delete()
    return {"shared_cache": InPieces(should_continue).older("shared_cache", "cache_key", "expires", now)}


def _expired(now: datetime) -> QuerySet[Any]:
    return SharedCache.objects.filter(expires__lt=now - _LATE)


RULES = (
    Rule(
        "admins",
        "name, role and a hash of the password (Argon2); secrets of second factors AES-256-GCM",
        "for good: disabled accounts too, because the audit log names them",
        "to let them sign in",
        (Table(Admin),),
    ),
    Rule(
        "tokens of the API",
        "a SHA-256 hash, with name, scopes and the minute of the last use",
        "two years after they expire",
        "to see what may use the API, and what could",
        (Table(ApiToken, lambda now: ApiToken.objects.filter(expires_at__lt=now - _TOKENS_KEPT - _LATE)),),
        lambda now, _: {"api_token": ApiToken.objects.filter(expires_at__lt=now - _TOKENS_KEPT).delete()[0]},
    ),
    Rule(
        "answers of the API to requests with an `Idempotency-Key`",
        "unencrypted: no answer holds an address",
        "24 hours",
        "so that a request that is sent twice is carried out once",
        (Table(KeyedAnswer, lambda now: KeyedAnswer.objects.filter(at__lt=now - keyed_answers.KEPT - _LATE)),),
        lambda now, should_continue: {
            "keyed_answer": InPieces(should_continue).oldest("keyed_answer", "at", now - keyed_answers.KEPT)
        },
    ),
    Rule(
        "sessions of admins, and failed sign-ins",
        "address and browser of a session; failed sign-ins under a hash of name and network",
        "12 hours; failed sign-ins a day",
        "so that admins see and end their sessions, and nobody guesses passwords",
        (Table(SharedCache, _expired),),
        prune_sign_ins,
    ),
)
