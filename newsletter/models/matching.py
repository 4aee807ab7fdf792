"""Tables of the matching room: topic, its revisions, anchors, alias pack, match, and the number that tells workers to rebuild."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from newsletter.lib.crypto import Vault


class Topic(models.Model):
    """A query with a name (curated), or one without (own: shared by all who typed the same keyword)."""

    class Kind(models.TextChoices):
        """Who made it: an admin, or readers."""

        CURATED = "curated"
        OWN = "own"

    class State(models.TextChoices):
        """Only active topics are matched."""

        ACTIVE = "active"
        RETIRED = "retired"

    kind = models.TextField(choices=Kind)
    name = models.TextField(null=True)
    slug = models.TextField(null=True, unique=True)
    #: One sentence for subscribers: what the topic is about. May be empty; curated topics only.
    description = models.TextField(default="", db_default="")
    #: The live revision. No foreign key: the two tables would point at each other.
    revision_id = models.IntegerField(null=True)
    #: Blind index (kind "query") of the normalised query; own topics only.
    query_index = models.BinaryField(null=True)
    #: The query as first typed, sealed with handle=`query_index` and column="query"; own topics only.
    query_cipher = models.BinaryField(null=True)
    key_id = models.SmallIntegerField(null=True)
    state = models.TextField(choices=State, default=State.ACTIVE)
    urgent = models.BooleanField(default=False)
    #: Since when its matches are collected without being owed; None: they are owed.
    held_since = models.DateTimeField(null=True)
    #: The topic that its followers were moved to when it was retired; None: they were not.
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    #: Not used since `anchors_version`; workers of before go by it.
    anchored = models.BooleanField(default=False)
    #: The version of the rules by which its anchors are written (`Anchor`); 0: they are not, or before there were versions.
    anchors_version = models.SmallIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "topic"
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(kind="curated"), name="topic_curated"),
            models.Index(fields=["id"], condition=Q(kind="own", anchored=False), name="topic_not_anchored"),
            models.Index(fields=["anchors_version"], condition=Q(kind="own"), name="topic_anchors_version"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["query_index"], condition=Q(kind="own"), name="topic_own_once"),
            models.CheckConstraint(
                name="topic_kind",
                condition=Q(kind="curated", name__isnull=False, query_cipher__isnull=True)
                | Q(kind="own", name__isnull=True, query_index__isnull=False, query_cipher__isnull=False),
            ),
        ]

    def keyword(self, vault: Vault) -> str:
        """Decrypt the keyword of an own topic, as it was first typed."""
        return vault.decrypt(self.key_id, self.query_cipher, handle=bytes(self.query_index or b""), column="query")


class Anchor(models.Model):
    """Without this in it an item does not meet an own topic: a new worker reads only those that it may meet.

    A keyed hash of a word's stem, or of two words side by side: without the key it tells nothing but that two topics share it.
    """

    pk = models.CompositePrimaryKey("sign", "topic_id")
    #: 0: any item may meet it.
    sign = models.BigIntegerField()
    topic = models.ForeignKey(Topic, models.CASCADE)
    #: It is all that the query asks for.
    enough = models.BooleanField()

    class Meta:
        db_table = "anchor"


class TopicRevision(models.Model):
    """What a topic's query was, which spellings it met, and since when."""

    class Rematch(models.TextChoices):
        """How far the stored items have met it."""

        #: All stored items up to `rematch_upto` have.
        TODO = "todo"
        #: Once more those that a worker with an index of before may have had in hand.
        AGAIN = "again"
        DONE = "done"

    topic = models.ForeignKey(Topic, models.CASCADE, db_index=False)
    n = models.IntegerField()
    #: None for own topics: their query is never stored in clear.
    query = models.TextField(null=True)
    #: Pack → version: the alias packs whose spellings its bare words meet.
    packs = models.JSONField(default=dict)
    #: Spellings of those packs that it does not meet.
    without = models.JSONField(default=list)
    made_by = models.TextField(default="")
    made_at = models.DateTimeField()
    note = models.TextField(default="")
    rematch = models.TextField(choices=Rematch, default=Rematch.DONE)
    rematch_upto = models.IntegerField(default=0)

    class Meta:
        db_table = "topic_revision"
        constraints: ClassVar = [models.UniqueConstraint(fields=["topic", "n"], name="topic_revision_once")]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=~Q(rematch="done"), name="topic_revision_rematch"),
        ]


class AliasPack(models.Model):
    """An alias pack as it was when a topic took it: what a revision means must not change with a file."""

    name = models.TextField()
    version = models.IntegerField()
    #: The groups in the form of the file.
    groups = models.JSONField()
    kept_at = models.DateTimeField()

    class Meta:
        db_table = "alias_pack"
        constraints: ClassVar = [models.UniqueConstraint(fields=["name", "version"], name="alias_pack_once")]


class Match(models.Model):
    """An item meets a topic. Never deleted while it may count: it is the proof that this pair was judged."""

    item = models.ForeignKey("newsletter.Item", models.CASCADE, db_index=False)
    topic = models.ForeignKey(Topic, models.CASCADE, db_index=False)
    item_version = models.SmallIntegerField()
    revision_id = models.IntegerField()
    #: [{field, start, end, term, alias, pack}] in the item version; None for own topics.
    receipt = models.JSONField(null=True)
    matched_at = models.DateTimeField()
    #: The item's first_seen_at + 10 days.
    owe_until = models.DateTimeField()
    #: None: never to be mailed.
    owed_at = models.DateTimeField(null=True)
    gathering_id = models.IntegerField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    #: When it would have been owed, had its topic not been held.
    held_at = models.DateTimeField(null=True)
    #: How often readers said that the item is not about the topic. Counted, and never who.
    objections = models.IntegerField(default=0)
    #: The last day of these, and how many fell on it: what one address can add in a day is bounded.
    objected_on = models.DateField(null=True)
    objected_that_day = models.SmallIntegerField(default=0)

    class Meta:
        db_table = "match"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "topic"], name="match_once"),
            models.CheckConstraint(
                name="match_young", condition=Q(owed_at__isnull=True) | Q(owed_at__lte=F("owe_until"))
            ),
            models.CheckConstraint(name="match_held", condition=Q(owed_at__isnull=True) | Q(held_at__isnull=True)),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["id"],
                condition=Q(gathering_id__isnull=True, owed_at__isnull=False, withdrawn_at__isnull=True),
                name="match_fresh",
            ),
            models.Index(
                fields=["topic", "owed_at"],
                condition=Q(owed_at__isnull=False, withdrawn_at__isnull=True),
                name="match_owed",
            ),
            models.Index(fields=["gathering_id"], name="match_gathering"),
            # for what goes with an own topic, and old matches of those that stay
            models.Index(fields=["topic", "matched_at"], name="match_topic"),
            models.Index(fields=["topic"], condition=Q(held_at__isnull=False), name="match_held_topic"),
        ]


class IndexState(models.Model):
    """One row: a number raised by every change of a topic; workers compare and rebuild."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.IntegerField(default=1)
    #: Languages of items in which anchors are written, besides English.
    languages = models.JSONField(default=list)

    class Meta:
        db_table = "index_state"
        constraints: ClassVar = [models.CheckConstraint(name="index_state_one", condition=Q(id=1))]
