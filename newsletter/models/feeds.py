"""Tables of the feeds room: feed, host, fetch, incident, entry, story, item, its versions, citations.

Items that admins publish by hand have an entry, too, and a row with what was typed.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Feed(models.Model):
    """A feed that is polled."""

    class State(models.TextChoices):
        """Only active feeds are polled."""

        ACTIVE = "active"
        PAUSED = "paused"
        #: The one built-in feed, which is never polled: admins publish its items by hand.
        BY_HAND = "by hand"
        #: Its site says that it is gone for good (410).
        ENDED = "ended"
        #: Reading it had to be killed again and again.
        QUARANTINED = "quarantined"

    class Announce(models.TextChoices):
        """What of the first poll may be mailed."""

        NONE = "none"
        LATEST = "latest"
        ALL = "all"

    class Backfill(models.TextChoices):
        """How a request to read its archive stands (see `feeds.backfill.Backfilled`)."""

        NONE = ""
        WAITING = "waiting"
        #: The pages that were asked for are read.
        MORE = "more"
        FINISHED = "finished"
        #: A gap is closed.
        MET = "met"
        FAILED = "failed"
        STOPPED = "stopped"

    url = models.TextField(unique=True)
    #: The feed's own title, unless `title_given`.
    title = models.TextField(default="")
    title_given = models.BooleanField(default=False)
    state = models.TextField(choices=State, default=State.ACTIVE)
    next_fetch_at = models.DateTimeField()
    #: Stored verbatim, sent back verbatim (RFC 9110 section 13.1).
    etag = models.TextField(default="")
    last_modified = models.TextField(default="")
    body_hash = models.BinaryField(null=True)
    #: Of the entries that the last read stored or found stored as they are (see `feeds.parsing.fingerprints.pack`).
    marks = models.BinaryField(default=b"")
    announce = models.TextField(choices=Announce, default=Announce.NONE)
    #: auto, never, always, or a CSS selector of what begins an article.
    cut = models.TextField(default="auto")
    #: What it is narrowed to: lists of "authors", "categories" and "languages"; a missing or empty list lets all through.
    only = models.JSONField(default=dict)
    #: When its first poll was stored; None until then.
    started_at = models.DateTimeField(null=True)
    #: When it was last read without an error, changed or not; None: never.
    read_at = models.DateTimeField(null=True)
    #: When the first of its failed fetches in a row was; None while it can be read.
    failing_since = models.DateTimeField(null=True)
    #: Failed fetches in a row.
    failures = models.SmallIntegerField(default=0)
    #: Times in a row that the child that parses it had to be killed.
    kills = models.SmallIntegerField(default=0)
    #: How long the last fetch took, failed ones too.
    last_ms = models.IntegerField(default=0)
    #: Where it redirects for good, and how many times in a row it said so.
    moved_to = models.TextField(default="")
    moved_times = models.SmallIntegerField(default=0)
    #: Seconds from one entry to the next, as a rule; None while too few are known.
    posts_every = models.IntegerField(null=True)
    #: Seconds that it asks to be left alone between two reads.
    wait = models.IntegerField(default=0)
    #: When its newest entry was published.
    newest_at = models.DateTimeField(null=True)
    #: A backfill: the page to read next (empty: at its beginning or done), and pages read so far.
    backfill_page = models.TextField(default="")
    backfilled = models.IntegerField(default=0)
    #: When a worker reads on in its archive, which somebody asked for on a page; None: nobody did, or it is over.
    backfill_due_at = models.DateTimeField(null=True)
    #: The pages read in all (`backfilled`) at which it ends; 0: at the end of the archive.
    backfill_until = models.IntegerField(default=0, db_default=0)
    #: How the last request stands, the new items that it brought, and why it failed.
    backfill_state = models.TextField(choices=Backfill, default=Backfill.NONE, db_default="")
    backfill_items = models.IntegerField(default=0, db_default=0)
    backfill_error = models.TextField(default="", db_default="")
    #: When somebody first looked at it to add it: what is published from then on is news, whatever `announce` says.
    created_at = models.DateTimeField()

    class Meta:
        db_table = "feed"
        indexes: ClassVar = [
            models.Index(fields=["next_fetch_at"], condition=Q(state="active"), name="feed_due"),
            models.Index(
                fields=["backfill_due_at"], condition=Q(backfill_due_at__isnull=False), name="feed_backfill_due"
            ),
        ]


class Host(models.Model):
    """A machine that feeds are read from: one request at a time, and none before it wants one."""

    name = models.TextField(primary_key=True)
    #: Nobody asks it before; in the future while somebody does.
    free_at = models.DateTimeField()

    class Meta:
        db_table = "host"


class Incident(models.Model):
    """Something about a feed that an operator should know; it closes by itself when it is over."""

    class Kind(models.TextChoices):
        """What happened."""

        #: Entries came and went between two polls: some were never seen.
        GAP = "gap"
        #: It was moved onto a feed that is there already.
        MOVED = "moved"
        ENDED = "ended"
        QUARANTINED = "quarantined"
        #: It has more entries than are read.
        TRUNCATED = "truncated"

    feed = models.ForeignKey(Feed, models.CASCADE, db_index=False)
    kind = models.TextField(choices=Kind)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    #: In words, with what to do.
    detail = models.TextField(default="")

    class Meta:
        db_table = "incident"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["feed", "kind"], condition=Q(closed_at__isnull=True), name="incident_open_once"
            ),
        ]


class Fetch(models.Model):
    """One fetch of a feed, for its health."""

    id = models.BigAutoField(primary_key=True)
    feed = models.ForeignKey(Feed, models.CASCADE, db_index=False)
    at = models.DateTimeField()
    #: HTTP status; None when there was no answer.
    status = models.SmallIntegerField(null=True)
    bytes = models.IntegerField(default=0)
    new = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    ms = models.IntegerField(default=0)
    #: In words; empty when it went well.
    error = models.TextField(default="")

    class Meta:
        db_table = "fetch"
        indexes: ClassVar = [models.Index(fields=["feed", "id"], name="fetch_feed")]


class Entry(models.Model):
    """One post in a feed."""

    feed = models.ForeignKey(Feed, models.CASCADE, db_index=False)
    guid = models.TextField()
    #: What the guid is: guid, link or hash.
    guid_kind = models.TextField(default="guid")
    url = models.TextField(default="")
    title = models.TextField(default="")
    author = models.TextField(default="")
    categories = models.JSONField(default=list)
    published_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    raw_hash = models.BinaryField()
    #: Of its canonical link: finds an entry whose guid changed. None without a link.
    link_hash = models.BinaryField(null=True)
    #: Why it was cut into items as it was, for operators.
    cut_reason = models.TextField(default="")
    #: The feed is narrowed and does not let it through: known, but made no items.
    left_out = models.BooleanField(default=False)

    class Meta:
        db_table = "entry"
        constraints: ClassVar = [models.UniqueConstraint(fields=["feed", "guid"], name="entry_once")]
        indexes: ClassVar = [
            models.Index(fields=["feed", "link_hash"], name="entry_link"),
            models.Index(fields=["feed", "published_at"], name="entry_published"),
        ]


class HandItem(models.Model):
    """What an admin typed to publish an item by hand: the entry's only item is made of it, and corrected from it."""

    entry = models.OneToOneField(Entry, models.CASCADE, primary_key=True)
    #: The text as it was typed.
    markdown = models.TextField()
    #: The source that was typed beside the text.
    publisher = models.TextField(default="")
    published_on = models.DateField(null=True)
    url = models.TextField(default="")
    #: None: it was not withdrawn.
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "hand_item"


class Story(models.Model):
    """Items that cite the same original. Merges in one mail, and is never the "given once" key."""

    url_hash = models.BinaryField(unique=True)
    url = models.TextField()

    class Meta:
        db_table = "story"


class Item(models.Model):
    """One article in an entry; everything that is matched, worded and given is an item."""

    entry = models.ForeignKey(Entry, models.CASCADE, db_index=False)
    #: Hash of its own original URL, else of its headline; the constant `whole` for an ordinary post.
    key = models.BinaryField()
    #: Only orders.
    position = models.SmallIntegerField(default=0)
    story = models.ForeignKey(Story, models.SET_NULL, null=True, db_index=False)
    lang = models.TextField(default="")
    version = models.SmallIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    #: False: its matches are stored, and never mailed (first poll, backfill).
    announced = models.BooleanField(default=True)
    #: When `version` met the topics; None: not yet.
    matched_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "item"
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry", "key"], name="item_once")]
        indexes: ClassVar = [
            models.Index(fields=["story"], condition=Q(story__isnull=False), name="item_story"),
            models.Index(fields=["first_seen_at"], name="item_seen"),
            models.Index(fields=["id"], condition=Q(matched_at__isnull=True), name="item_unmatched"),
        ]


class ItemVersion(models.Model):
    """The wording of an item at one time; a match's offsets speak of one of these."""

    pk = models.CompositePrimaryKey("item_id", "n")
    item = models.ForeignKey(Item, models.CASCADE, db_index=False)
    n = models.SmallIntegerField()
    title = models.TextField()
    #: Plain text without the source line: what is matched, and the text part of the mail. Paragraphs end in a blank line.
    text = models.TextField()
    #: Made safe, without the source line.
    html = models.TextField()
    author = models.TextField(default="")
    meaning_hash = models.BinaryField()
    material = models.BooleanField(default=True)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "item_version"


class Citation(models.Model):
    """Where an item comes from: the closing `Source:` line."""

    pk = models.CompositePrimaryKey("item_id", "n")
    item = models.ForeignKey(Item, models.CASCADE, db_index=False)
    n = models.SmallIntegerField()
    publisher = models.TextField(default="")
    published_on = models.DateField(null=True)
    url = models.TextField(default="")
    url_hash = models.BinaryField(null=True)

    class Meta:
        db_table = "citation"
