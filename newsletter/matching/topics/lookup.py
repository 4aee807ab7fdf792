"""Curated topics by their name: found, refused, or given a slug; and the number that tells workers of a change."""

import unicodedata

import regex
from django.db.models import F, Q

from newsletter.lib.refused import Refused
from newsletter.models import IndexState, Topic

LONGEST_NAME = 80


def find_topic(name: str) -> Topic | None:
    """The active topic of this name or slug, in any case; None when there is none."""
    wanted = " ".join(name.split())
    active = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE)
    return active.filter(Q(name__iexact=wanted) | Q(slug=slug_of(wanted))).order_by("id").first()


def no_such_topic() -> Refused:
    """There is no topic of that name."""
    return Refused("there is no such topic: see 'newsletter topics list'")


def slug_of(name: str) -> str:
    """A name as it stands in addresses: letters, marks and digits of any script, and hyphens."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return regex.sub(r"[^\p{L}\p{M}\p{N}]+", "-", plain).strip("-")


def name_problem(name: str) -> Refused | None:
    """Why a topic cannot have this name; None when it can."""
    if not name or not slug_of(name):
        return Refused("a topic needs a name with a letter in it")
    return Refused(f"the name is longer than {LONGEST_NAME} characters") if len(name) > LONGEST_NAME else None


def bump_index_version() -> None:
    """Tell every worker that its index is of before. Inside the transaction of the change."""
    IndexState.objects.filter(id=1).update(number=F("number") + 1)
