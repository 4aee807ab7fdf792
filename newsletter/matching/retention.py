"""What is kept of own keywords, for how long, and its deletion: those that nobody follows, and what the others met long ago."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.lib.pruning import Rule, Table, days
from newsletter.matching.topics.lookup import bump_index_version
from newsletter.models import AliasPack, Anchor, Match, Subscription, Topic, TopicRevision

#: No item is mailed more than twenty days after it came, and who was given it is kept as long.
OWN_MATCH: Final = timedelta(days=21)
#: Topics in one transaction.
_TOPICS: Final = 500
# An ended subscription can be taken up again for as long as it is kept.
_UNFOLLOWED = f"""
SELECT t.id FROM topic t WHERE t.kind='own' AND t.id>%(low)s {{among}}
AND NOT EXISTS (SELECT 1 FROM subscription s WHERE s.topic_id=t.id) ORDER BY t.id LIMIT {_TOPICS}"""
_OLD = """
DELETE FROM "match" WHERE topic_id>%(low)s AND topic_id<=%(high)s AND matched_at<%(before)s
AND EXISTS (SELECT 1 FROM topic t WHERE t.id="match".topic_id AND t.kind='own')"""


def delete_unfollowed(topic_ids: Collection[int] | None = None, *, should_continue: ShouldContinue = never_stop) -> int:
    """Delete own topics that nobody follows any more, with their matches and keyword hashes; returns how many.

    `topic_ids`: only those among these.
    """
    among = "" if topic_ids is None else f"AND {db.in_list('t.id', 'ids')}"
    gone, low = 0, 0
    while should_continue():
        rows = db.rows(_UNFOLLOWED.format(among=among), {"low": low, "ids": list(topic_ids or ())})
        if not rows:
            break
        low = rows[-1][0]
        with transaction.atomic():
            gone += _drop([number for (number,) in rows])
    return gone


def _drop(ids: Collection[int]) -> int:
    """Delete those of these topics that nobody is about to follow or to meet, and nobody followed meanwhile."""
    held = Topic.objects.select_for_update(skip_locked=db.is_postgres()).filter(id__in=ids)
    mine = list(held.values_list("id", flat=True))
    anybody = Subscription.objects.filter(topic=OuterRef("id"))
    gone = list(Topic.objects.filter(~Exists(anybody), id__in=mine).values_list("id", flat=True))
    if gone:
        Topic.objects.filter(id__in=gone).delete()
        bump_index_version()
    return len(gone)


def prune_own_topics(_now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete own keywords that nobody follows."""
    return {"topic": delete_unfollowed(should_continue=should_continue)}


def prune_own_matches(now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete what own keywords met long ago: it is owed to nobody any more, and would only tell what they look for."""
    gone, low = 0, 0
    while should_continue():
        page = f"SELECT id FROM topic WHERE kind='own' AND id>%(low)s ORDER BY id LIMIT {_TOPICS}"
        high = db.rows(f"SELECT max(p.id) FROM ({page}) p", {"low": low})[0][0]
        if high is None:
            break
        gone += db.execute(_OLD, {"low": low, "high": high, "before": now - OWN_MATCH})
        low = high
    return {"match": gone}


def _own(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(topic__kind=Topic.Kind.OWN)


def _nobodys(_now: datetime) -> QuerySet[Topic]:
    return Topic.objects.filter(~Exists(Subscription.objects.filter(topic=OuterRef("id"))), kind=Topic.Kind.OWN)


RULES = (
    Rule(
        "keyword",
        "AES-256-GCM; one row for everybody who entered the same",
        "until nobody follows it; deleted at once if its only follower is erased",
        "to search for it",
        (
            Table(Topic, _nobodys),
            Table(TopicRevision, lambda now: TopicRevision.objects.filter(topic__in=_nobodys(now))),
        ),
        prune_own_topics,
    ),
    Rule(
        "required words of a keyword",
        "a keyed hash of a word, or of two neighbouring words, that every matching item has; without the key it reveals "
        "only that two keywords share it",
        "as long as the keyword",
        "so that a worker that starts decrypts only keywords that an item may match",
        (Table(Anchor, lambda now: Anchor.objects.filter(topic__in=_nobodys(now))),),
    ),
    Rule(
        "which items matched a keyword",
        "unencrypted, by number",
        days(OWN_MATCH),
        "to decide who gets which items",
        (Table(Match, lambda now: _own(Match.objects.filter(matched_at__lt=now - OWN_MATCH))),),
        prune_own_matches,
    ),
    Rule(
        "topics, and which items matched them",
        "unencrypted: they are the same for everybody",
        "for good",
        "to show what a change of a topic would have brought",
        (Table(Topic), Table(TopicRevision), Table(AliasPack), Table(Match)),
    ),
    Rule(
        "“not about this topic”",
        "a number for the item and topic, and the day of the last objection; never who objected",
        "as long as the match",
        "to find topics that bring wrong items",
        (Table(Match),),
    ),
)
